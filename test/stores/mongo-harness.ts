import type { Harness } from "@intermodal/conformance";
import { type Adapter, encodeName, silentLogger } from "@intermodal/core/ports";
import { type MongoOptions, mongo } from "@intermodal/store-mongo";
import { MongoClient } from "mongodb";
import { ProcessClock } from "../../packages/core/src/testing/virtual-clock.ts";
import { type Server, startProxy, type Proxy as TcpProxy } from "../servers/index.ts";

interface Client {
  readonly proxy: TcpProxy;
  readonly process: ProcessClock;
}

/** What a client asks about servers, again and again, is not what a case means by its requests. */
const HEARTBEAT = /\0(hello|isMaster|ismaster|ping|endSessions|killCursors)\0/;
const OP_MSG = 2013;

/** The MongoDB adapter on a real server, each client through a proxy of its own. */
export function mongoHarness(server: Server, size: Harness["size"] = "small", options: MongoOptions = {}): Harness {
  const clients = new Map<Adapter, Client>();
  const client = (adapter: Adapter): Client => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const byNamespace = new Map<string, TcpProxy[]>();
  const factory = mongo(options);
  return {
    name: "mongo",
    size,
    async create({ namespace, node, clock }) {
      const proxy = await startProxy(server.port);
      const process = new ProcessClock(clock);
      const url = `mongodb://127.0.0.1:${proxy.port}`;
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
      loseAnswers: async (adapter, count) => client(adapter).proxy.loseAnswers(count, isRequest),
      kill: async (adapter) => {
        client(adapter).process.stop();
        client(adapter).proxy.cut();
      },
    },
    async cleanup(namespace) {
      await administer(server, namespace);
      for (const proxy of byNamespace.get(namespace) ?? []) await proxy.close();
      byNamespace.delete(namespace);
    },
  };
}

/** The beginning of a command, and not of one that the client sends by itself. */
function isRequest(chunk: Buffer): boolean {
  if (chunk.length < 16 || chunk.readInt32LE(12) !== OP_MSG) return false;
  return !HEARTBEAT.test(chunk.toString("latin1", 0, 64));
}

/** Drops a namespace's collections, through a client of its own, beside the clients' proxies. */
async function administer(server: Server, namespace: string): Promise<void> {
  const admin = new MongoClient(server.url);
  try {
    const db = admin.db("intermodal");
    const prefix = `im_${encodeName(namespace)}_`;
    for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray())
      if (name.startsWith(prefix)) await db.dropCollection(name);
  } finally {
    await admin.close();
  }
}
