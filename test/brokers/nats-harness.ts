import { type NatsOptions, nats } from "@intermodal/adapter-nats";
import type { Harness } from "@intermodal/conformance";
import { type Adapter, encodeName, silentLogger } from "@intermodal/core/ports";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { ProcessClock } from "../../packages/core/src/testing/virtual-clock.ts";
import { type Server, startProxy, type Proxy as TcpProxy } from "../servers/index.ts";

/** How often a short lease is renewed is the same share of it, so that short ones only make tests quick. */
const LEASE_MS = 3_000;

interface Client {
  readonly proxy: TcpProxy;
  readonly process: ProcessClock;
}

/** The NATS adapter on a real server, each client through a proxy of its own. */
export function natsHarness(server: Server, size: Harness["size"] = "small", options: NatsOptions = {}): Harness {
  const clients = new Map<Adapter, Client>();
  const client = (adapter: Adapter): Client => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const byNamespace = new Map<string, TcpProxy[]>();
  const factory = nats({ leaseMs: LEASE_MS, ...options });
  return {
    name: "nats",
    size,
    async create({ namespace, node, clock }) {
      const proxy = await startProxy(server.port);
      const process = new ProcessClock(clock);
      const url = `nats://127.0.0.1:${proxy.port}`;
      const adapter = factory.create({ url, namespace, node, clock: process, logger: silentLogger });
      clients.set(adapter, { proxy, process });
      byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), proxy]);
      return adapter;
    },
    faults: {
      stop: () => server.kill(),
      start: () => server.start(),
      cut: async (adapter) => client(adapter).proxy.cut(),
      mend: async (adapter) => client(adapter).proxy.mend(),
      loseAnswers: async (adapter, count) => {
        client(adapter).proxy.loseAnswers(count, (chunk) => /^H?PUB im\./m.test(chunk.toString("latin1")));
      },
      kill: async (adapter) => {
        client(adapter).process.stop();
        client(adapter).proxy.cut();
      },
      deleteConsumer: (namespace, queue) =>
        administer(server, async (manager) => {
          await manager.consumers.delete(streamsOf(namespace).tasks, `q_${encodeName(queue)}`);
        }),
      trimEvents: (namespace) =>
        administer(server, async (manager) => {
          // As retention does it, one by one from the oldest: a purge would move the listeners on.
          const { events } = streamsOf(namespace);
          await manager.streams.update(events, { max_msgs: 1 });
          await manager.streams.update(events, { max_msgs: -1 });
        }),
    },
    async cleanup(namespace) {
      const { tasks, events } = streamsOf(namespace);
      await administer(server, async (manager) => {
        for (const stream of [tasks, events]) await manager.streams.delete(stream).catch(() => {});
      });
      for (const proxy of byNamespace.get(namespace) ?? []) await proxy.close();
      byNamespace.delete(namespace);
    },
  };
}

function streamsOf(namespace: string): { readonly tasks: string; readonly events: string } {
  const encoded = encodeName(namespace);
  return { tasks: `im_${encoded}_TASKS`, events: `im_${encoded}_EVENTS` };
}

type Manager = Awaited<ReturnType<typeof jetstreamManager>>;

/** Through a connection of its own, beside the clients' proxies. */
async function administer(server: Server, act: (manager: Manager) => Promise<void>): Promise<void> {
  const client = await connect({ servers: server.url.replace(/^.*@|^nats:\/\//, "") });
  try {
    await act(await jetstreamManager(client, { checkAPI: false }));
  } finally {
    await client.close();
  }
}
