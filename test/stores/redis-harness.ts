import type { Harness } from "@intermodal/conformance";
import { type Adapter, silentLogger } from "@intermodal/core/ports";
import { type RedisOptions, redis } from "@intermodal/store-redis";
import { Redis } from "ioredis";
import { ProcessClock } from "../../packages/core/src/testing/virtual-clock.ts";
import { type Server, startProxy, type Proxy as TcpProxy } from "../servers/index.ts";

interface Client {
  readonly proxy: TcpProxy;
  readonly process: ProcessClock;
}

/** What changes something: heartbeats and handshakes are no requests of the store. */
const REQUEST = /\r\n(evalsha|eval|set|del|unlink|publish)\r\n/i;
const AT_ONCE = 1_000;

/** The Redis store on a real server, each client through a proxy of its own. */
export function redisHarness(server: Server, size: Harness["size"] = "small", options: RedisOptions = {}): Harness {
  const clients = new Map<Adapter, Client>();
  const client = (adapter: Adapter): Client => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const byNamespace = new Map<string, TcpProxy[]>();
  const factory = redis(options);
  return {
    name: server.kind,
    size,
    async create({ namespace, node, clock }) {
      const proxy = await startProxy(server.port);
      const process = new ProcessClock(clock);
      const url = `redis://127.0.0.1:${proxy.port}`;
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
        client(adapter).proxy.loseAnswers(count, (chunk) => REQUEST.test(chunk.toString("latin1")));
      },
      kill: async (adapter) => {
        client(adapter).process.stop();
        client(adapter).proxy.cut();
      },
    },
    async cleanup(namespace) {
      await removeNamespace(server.url, namespace);
      for (const proxy of byNamespace.get(namespace) ?? []) await proxy.close();
      byNamespace.delete(namespace);
    },
  };
}

/** Through a connection of its own, beside the clients' proxies. */
async function removeNamespace(url: string, namespace: string): Promise<void> {
  const admin = new Redis(url, { lazyConnect: true });
  try {
    await admin.connect();
    for (const pattern of [`im:{${namespace}[:}]*`, `im:${namespace}:*`])
      for await (const keys of admin.scanStream({ match: pattern, count: AT_ONCE }) as AsyncIterable<string[]>)
        if (keys.length > 0) await admin.unlink(...keys);
  } finally {
    admin.disconnect();
  }
}
