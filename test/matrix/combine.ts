import type { Harness } from "@intermodal/conformance";
import type { Adapter } from "@intermodal/core/ports";

interface Parts {
  readonly buses: Adapter;
  readonly stores: Adapter;
}

/** The buses of one harness with the stores of another, for cases about the life of tasks. A fault of a client befalls both. */
export function combine(buses: Harness, stores: Harness): Harness {
  const parts = new WeakMap<Adapter, Parts>();
  const both = async (adapter: Adapter, fault: "cut" | "mend" | "kill"): Promise<void> => {
    const found = parts.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    // What a dead process had sent to one of them may have come a moment before its end at the other.
    await stores.faults?.[fault]?.(found.stores);
    await buses.faults?.[fault]?.(found.buses);
  };
  return {
    name: `${buses.name} with ${stores.name}`,
    size: buses.size,
    // Every one is tried over memory in virtual time; here they take real time. Each run of a soak tries others.
    moments: 2,
    firstMoment: Number(process.env.INTERMODAL_RUN ?? 1),
    async create(context) {
      const of = { buses: await buses.create(context), stores: await stores.create(context) };
      const adapter = adapterOf(of);
      parts.set(adapter, of);
      return adapter;
    },
    faults: {
      cut: (adapter) => both(adapter, "cut"),
      mend: (adapter) => both(adapter, "mend"),
      kill: (adapter) => both(adapter, "kill"),
    },
    async cleanup(namespace) {
      await Promise.all([buses.cleanup?.(namespace), stores.cleanup?.(namespace)]);
    },
  };
}

function adapterOf({ buses, stores }: Parts): Adapter {
  return {
    name: `${buses.name} and ${stores.name}`,
    commandBus: buses.commandBus,
    eventBus: buses.eventBus,
    taskStateStore: stores.taskStateStore,
    eventStream: stores.eventStream,
    rateLimiter: stores.rateLimiter,
    inbox: stores.inbox,
    scheduleStore: stores.scheduleStore,
    async connect() {
      await Promise.all([buses.connect(), stores.connect()]);
    },
    async health() {
      const [ofBuses, ofStores] = await Promise.all([buses.health(), stores.health()]);
      return { ...ofBuses, connected: ofBuses.connected && ofStores.connected };
    },
    async close() {
      await stores.close();
      await buses.close();
    },
  };
}
