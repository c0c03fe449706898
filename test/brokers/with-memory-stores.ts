import type { Harness } from "@intermodal/conformance";
import { type Adapter, silentLogger, systemClock } from "@intermodal/core/ports";
import { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { MemoryServer } from "../../packages/core/src/memory/server.ts";

interface Parts {
  readonly bus: Adapter;
  readonly stores: MemoryAdapter;
}

/** The buses of one harness with the stores of an in-process server, for cases about the life of tasks. A fault befalls both. */
export function withMemoryStores(harness: Harness): Harness {
  const server = new MemoryServer(systemClock);
  const parts = new WeakMap<Adapter, Parts>();
  const partsOf = (adapter: Adapter): Parts => {
    const found = parts.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const { faults = {} } = harness;
  return {
    ...harness,
    // Every one is tried over memory; here they take real time.
    moments: 2,
    name: `${harness.name} with stores in memory`,
    async create(context) {
      const bus = await harness.create(context);
      const stores = new MemoryAdapter(server, { ...context, logger: silentLogger });
      const adapter = combine({ bus, stores });
      parts.set(adapter, { bus, stores });
      return adapter;
    },
    faults: {
      ...faults,
      ...(faults.cut && {
        cut: async (adapter) => {
          partsOf(adapter).stores.connection.cut();
          await faults.cut?.(partsOf(adapter).bus);
        },
        mend: async (adapter) => {
          partsOf(adapter).stores.connection.mend();
          await faults.mend?.(partsOf(adapter).bus);
        },
      }),
      ...(faults.kill && {
        kill: async (adapter) => {
          partsOf(adapter).stores.connection.kill();
          await faults.kill?.(partsOf(adapter).bus);
        },
      }),
    },
  };
}

function combine({ bus, stores }: Parts): Adapter {
  return {
    name: `${bus.name} and memory`,
    commandBus: bus.commandBus,
    eventBus: bus.eventBus,
    taskStateStore: stores.taskStateStore,
    eventStream: stores.eventStream,
    scheduleStore: stores.scheduleStore,
    rateLimiter: stores.rateLimiter,
    inbox: stores.inbox,
    connect: () => bus.connect(),
    health: () => bus.health(),
    async close() {
      await stores.close();
      await bus.close();
    },
  };
}
