import type { Faults, Harness } from "@intermodal/conformance";
import { type Adapter, silentLogger } from "@intermodal/core/ports";
import { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import type { MemoryLimits } from "../../packages/core/src/memory/limits.ts";
import { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { ProcessClock, VirtualClock } from "../../packages/core/src/testing/virtual-clock.ts";

export interface MemoryHarnessOptions {
  readonly name?: string;
  readonly size?: Harness["size"];
  readonly limits?: Partial<MemoryLimits>;
  /** Changes every client. */
  readonly wrap?: (adapter: MemoryAdapter, server: MemoryServer) => Adapter;
}

/** The memory adapters on a server of their own in virtual time, with every fault. */
export function memoryHarness({ name = "memory", size = "small", limits, wrap }: MemoryHarnessOptions = {}): Harness {
  const virtualClock = new VirtualClock();
  const server = new MemoryServer(virtualClock, limits);
  const clients = new WeakMap<Adapter, { readonly adapter: MemoryAdapter; readonly process: ProcessClock }>();
  const client = (adapter: Adapter) => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const faults: Faults = {
    stop: async () => server.stop(),
    start: async () => server.start(),
    cut: async (adapter) => client(adapter).adapter.connection.cut(),
    mend: async (adapter) => client(adapter).adapter.connection.mend(),
    loseAnswers: async (adapter, count) => client(adapter).adapter.connection.loseAnswers(count),
    kill: async (adapter) => {
      client(adapter).process.stop();
      client(adapter).adapter.connection.kill();
    },
    deleteConsumer: async (namespace, queue) => server.broker.deleteConsumer(namespace, queue),
    trimEvents: async (namespace) => server.broker.trimEvents(namespace),
  };
  return {
    name,
    size,
    virtualClock,
    faults,
    create({ namespace, clock }) {
      const process = new ProcessClock(clock);
      const adapter = new MemoryAdapter(server, { namespace, clock: process, logger: silentLogger });
      const wrapped = wrap?.(adapter, server) ?? adapter;
      clients.set(wrapped, { adapter, process });
      return wrapped;
    },
  };
}
