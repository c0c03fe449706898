import type { Harness } from "@intermodal/conformance";
import { type Adapter, silentLogger, systemClock } from "@intermodal/core/ports";
import { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { ProcessClock } from "../../packages/core/src/testing/virtual-clock.ts";

/** The memory adapters in real time, to stand beside a real server. */
export function memoryInRealTime(): Harness {
  const server = new MemoryServer(systemClock);
  const clients = new WeakMap<Adapter, { readonly adapter: MemoryAdapter; readonly process: ProcessClock }>();
  const client = (adapter: Adapter) => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  return {
    name: "memory",
    create({ namespace, clock }) {
      const process = new ProcessClock(clock);
      const adapter = new MemoryAdapter(server, { namespace, clock: process, logger: silentLogger });
      clients.set(adapter, { adapter, process });
      return adapter;
    },
    faults: {
      cut: async (adapter) => client(adapter).adapter.connection.cut(),
      mend: async (adapter) => client(adapter).adapter.connection.mend(),
      kill: async (adapter) => {
        client(adapter).process.stop();
        client(adapter).adapter.connection.kill();
      },
    },
  };
}
