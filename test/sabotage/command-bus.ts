import { type Adapter, type CommandBus, type Consumption, sleep } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { CONSUMING } from "./consuming.ts";
import { HANDLING } from "./handling.ts";
import { override, perServer, type Sabotage } from "./sabotage.ts";
import { SENDING, sabotagesOf } from "./sending.ts";

/** A command bus with some of its members replaced. */
function sabotage(
  name: string,
  breaks: readonly string[],
  members: (bus: CommandBus, server: MemoryServer, adapter: MemoryAdapter) => Partial<CommandBus>,
): Sabotage {
  return {
    name: `command-bus ${name}`,
    subject: "commandBus",
    breaks: breaks.map((caseName) => `command-bus/${caseName}`),
    wrap: (adapter, server) => {
      const { commandBus } = adapter;
      return override<Adapter>(adapter, {
        commandBus: override<CommandBus>(commandBus, members(commandBus, server, adapter)),
      });
    },
  };
}

const worked = perServer(() => new Set<string>());
const sentIds = perServer(() => new Set<string>());
const consumptions = perServer(() => new Map<string, Consumption[]>());

export const commandBusSabotages: readonly Sabotage[] = [
  ...sabotagesOf("commandBus", [...SENDING, ...HANDLING, ...CONSUMING]),

  sabotage("drops what is sent to a queue that nobody ever worked on", ["unroutable"], (bus, server) => ({
    work: (queue, options, handle) => {
      worked(server).add(queue);
      return bus.work(queue, options, handle);
    },
    send: (commands) => bus.send(commands.filter(({ queue }) => worked(server).has(queue))),
  })),

  sabotage("declares that it refuses such a send, and does not", ["unroutable"], (bus) => ({
    capabilities: { ...bus.capabilities, unroutable: "reject" },
  })),

  sabotage("ignores the delay of a send", ["delayed-send", "inspect"], (bus) => ({
    send: (commands) => bus.send(commands.map((command) => ({ ...command, delayMs: undefined }))),
  })),

  sabotage("sends what is delayed too late", ["delayed-send"], (bus) => ({
    send: (commands) =>
      bus.send(commands.map((command) => ({ ...command, delayMs: command.delayMs && command.delayMs * 2 + 1_500 }))),
  })),

  sabotage("shortens a delay that it cannot keep instead of refusing it", ["delayed-send"], (bus) => ({
    capabilities: { ...bus.capabilities, maxDelayMs: 3_600_000 },
    send: (commands) =>
      bus.send(
        commands.map((command) => ({ ...command, delayMs: command.delayMs && Math.min(command.delayMs, 3_600_000) })),
      ),
  })),

  sabotage("lets a delayed message hold up those behind it", ["delayed-send"], (bus, server) => {
    let busy: Promise<unknown> = Promise.resolve();
    return {
      send: async (commands) => {
        for (const command of commands) {
          const { delayMs = 0 } = command;
          busy = busy
            .then(async () => {
              if (delayMs > 0) await sleep(server.clock, delayMs);
              await bus.send([{ ...command, delayMs: undefined }]);
            })
            .catch(() => {});
        }
      },
    };
  }),

  sabotage("mixes up queues whose names differ in a dot", ["apart"], (bus) => ({
    work: (queue, options, handle) => bus.work(queue.replace(".", "-"), options, handle),
    send: (commands) => bus.send(commands.map((command) => ({ ...command, queue: command.queue.replace(".", "-") }))),
  })),

  sabotage("remembers ids over all namespaces", ["same-id-elsewhere"], (bus, server) => ({
    send: (commands) =>
      bus.send(
        commands.filter(({ id }) => {
          const known = sentIds(server).has(id);
          sentIds(server).add(id);
          return !known;
        }),
      ),
  })),

  sabotage("counts as ready what is in flight", ["inspect"], (bus) => ({
    inspect: async (queue) => {
      const { ready, inFlight, ...rest } = await bus.inspect(queue);
      return { ...rest, ready: ready + (inFlight ?? 0), inFlight: 0 };
    },
  })),

  sabotage("declares that it can't count what is in flight, and counts it", ["inspect"], (bus) => ({
    capabilities: { ...bus.capabilities, countsInFlight: false },
  })),

  sabotage("declares that it can't count what is delayed, and counts it", ["inspect"], (bus) => ({
    capabilities: { ...bus.capabilities, countsDelayed: false },
  })),

  sabotage("forgets the dead when it counts", ["inspect"], (bus) => ({
    inspect: async (queue) => ({ ...(await bus.inspect(queue)), dead: 0 }),
  })),

  sabotage("takes messages after it was closed", ["closed"], (bus, _, adapter) => ({
    send: async (commands) => (adapter.connection.isClosed ? undefined : bus.send(commands)),
  })),

  sabotage("does not notice that its consumer was deleted", ["consumer-deleted"], (bus, server) => {
    server.broker.deleteConsumer = (_, queue) => {
      for (const consumption of consumptions(server).get(queue) ?? []) void consumption.close();
    };
    return {
      work: async (queue, options, handle) => {
        const consumption = await bus.work(queue, options, handle);
        const known = consumptions(server).get(queue) ?? [];
        consumptions(server).set(queue, [...known, consumption]);
        return consumption;
      },
    };
  }),
];
