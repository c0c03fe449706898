import type { Harness } from "@intermodal/conformance";
import { type Adapter, silentLogger } from "@intermodal/core/ports";
import { type RedisOptions, redis } from "@intermodal/store-redis";
import { Redis } from "ioredis";
import { ProcessClock } from "../../packages/core/src/testing/virtual-clock.ts";
import { type Server, startProxy, type Proxy as TcpProxy } from "../servers/index.ts";
import type { RedisCluster } from "../servers/redis-cluster.ts";

/** The Redis store on a real server, each client through a proxy of its own. */
export function redisHarness(server: Server, size: Harness["size"] = "small", options: RedisOptions = {}): Harness {
  const stopped = { stop: () => server.kill(), start: () => server.start() };
  return harnessOver({ name: server.kind, servers: [server], ...stopped }, size, options);
}

/** The Redis store on a cluster, each client through proxies of its own, one for each node. */
export function redisClusterHarness(
  cluster: RedisCluster,
  size: Harness["size"] = "small",
  options: RedisOptions = {},
): Harness {
  const stopped = { stop: () => cluster.kill(), start: () => cluster.start() };
  return harnessOver({ name: `${cluster.kind} cluster`, servers: cluster.nodes, ...stopped }, size, options);
}

interface Under {
  readonly name: string;
  readonly servers: readonly Server[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface Client {
  readonly proxies: readonly TcpProxy[];
  readonly process: ProcessClock;
}

/** What changes something: heartbeats and handshakes are no requests of the store. */
const REQUEST = /\r\n(evalsha|eval|set|del|unlink|publish)\r\n/i;
const AT_ONCE = 1_000;

function harnessOver({ name, servers, stop, start }: Under, size: Harness["size"], options: RedisOptions): Harness {
  const clients = new Map<Adapter, Client>();
  const client = (adapter: Adapter): Client => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const byNamespace = new Map<string, TcpProxy[]>();
  const single = redis(options);
  return {
    name,
    size,
    async create({ namespace, node, clock }) {
      const proxies = await Promise.all(servers.map(({ port }) => startProxy(port)));
      const process = new ProcessClock(clock);
      const url = `redis://${proxies.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
      const factory =
        servers.length === 1 ? single : redis({ ...options, cluster: { natMap: natMap(servers, proxies) } });
      const adapter = factory.create({ url, namespace, node, clock: process, logger: silentLogger });
      clients.set(adapter, { proxies, process });
      byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), ...proxies]);
      return adapter;
    },
    faults: {
      stop,
      start,
      cut: async (adapter) => {
        for (const proxy of client(adapter).proxies) proxy.cut();
      },
      mend: async (adapter) => {
        for (const proxy of client(adapter).proxies) proxy.mend();
      },
      loseAnswers: async (adapter, count) => {
        const isRequest = (chunk: Buffer) => REQUEST.test(chunk.toString("latin1"));
        for (const proxy of client(adapter).proxies) proxy.loseAnswers(count, isRequest);
      },
      kill: async (adapter) => {
        client(adapter).process.stop();
        for (const proxy of client(adapter).proxies) proxy.cut();
      },
    },
    async cleanup(namespace) {
      await Promise.all(servers.map(({ url }) => removeNamespace(url, namespace)));
      for (const proxy of byNamespace.get(namespace) ?? []) await proxy.close();
      byNamespace.delete(namespace);
    },
  };
}

/** Nodes tell clients their own addresses: these are those of the proxies. */
function natMap(servers: readonly Server[], proxies: readonly TcpProxy[]) {
  return Object.fromEntries(
    servers.map(({ port }, at) => [`127.0.0.1:${port}`, { host: "127.0.0.1", port: proxies[at]?.port ?? 0 }]),
  );
}

/** Through a connection of its own, beside the clients' proxies. */
async function removeNamespace(url: string, namespace: string): Promise<void> {
  const admin = new Redis(url, { lazyConnect: true });
  try {
    await admin.connect();
    // One by one: those of a node of a cluster are in many slots.
    for (const pattern of [`im:{${namespace}[:}]*`, `im:${namespace}:*`])
      for await (const keys of admin.scanStream({ match: pattern, count: AT_ONCE }) as AsyncIterable<string[]>)
        await Promise.all(keys.map((key) => admin.unlink(key)));
  } finally {
    admin.disconnect();
  }
}
