/** Stands in for the adapter of the README's reader: real time, no faults. `BROKEN` in the environment breaks a promise. */
import type { Adapter, AdapterContext } from "@intermodal/core/ports";
import { systemClock } from "@intermodal/core/ports";
import { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { MemoryServer } from "../../packages/core/src/memory/server.ts";

const server = new MemoryServer(systemClock);

export function myAdapter(context: AdapterContext): Adapter {
  const adapter = new MemoryAdapter(server, context);
  if (!process.env.BROKEN) return adapter;
  const { commandBus } = adapter;
  const send = commandBus.send.bind(commandBus);
  commandBus.send = (commands) =>
    send(commands.map((command) => ({ ...command, body: command.body.map((byte) => byte & 127) })));
  return adapter;
}
