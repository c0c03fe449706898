import { type Clock, isIntermodalError, type Logger } from "@intermodal/core/ports";
import { Cluster, type RedisOptions as DriverOptions, Redis } from "ioredis";
import { closed, connectFailure, isReply, noCluster, noDatabase } from "./errors.ts";
import type { Settings } from "./options.ts";
import { identify } from "./probe.ts";
import { assertUsable, type ServerInfo, serverInfoOf } from "./server-info.ts";
import type { Seed, Servers } from "./url.ts";

/** What commands are sent through. */
export type Client = Redis | Cluster;

/** A connection that is up; when it ends, it is over, and another one is made. */
export interface Link {
  readonly client: Client;
  readonly server: ServerInfo;
}

/** Gives out the link that is up. */
export interface Linked {
  /** What is up now. */
  readonly link: Link | undefined;
  /** Aborts when it is closed. */
  readonly closing: AbortSignal;
  /** @throws `UNAVAILABLE` in a bounded time; `CONFIG_INVALID`; `CLOSED`. */
  ready(what: string): Promise<Link>;
}

export interface LinkOptions {
  readonly servers: Servers;
  readonly settings: Settings;
  /** As which the server lists it. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Short of the time that a call may take, so that the first one hears why it failed. */
const CONNECT_SHARE = 0.6;
/** A cluster asks one node after the other. */
const PATIENCE_MS = 10_000;

/**
 * What holds for every connection that we make: it does not come back by itself (we make another, so that there is one place that does, and one life to reason
 * about), keeps no commands for later, and writes none twice.
 */
const FIXED = {
  lazyConnect: true,
  // We ask for more than whether it is still loading.
  enableReadyCheck: false,
  retryStrategy: null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  keyPrefix: "",
} as const satisfies DriverOptions;

/**
 * Connects to the first of the servers that can be reached, or to the cluster that it belongs to.
 * @throws `UNAVAILABLE` where trying again can help, else `CONFIG_INVALID`.
 */
export async function dial(options: LinkOptions): Promise<Link> {
  const failures: unknown[] = [];
  for (const seed of options.servers.seeds) {
    try {
      return await dialSeed(options, seed);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.find((failure) => !isIntermodalError(failure, "UNAVAILABLE")) ?? failures[0];
}

async function dialSeed(options: LinkOptions, seed: Seed): Promise<Link> {
  const { servers, settings } = options;
  const where = `${seed.host}:${seed.port}`;
  const client = new Redis({ ...driverOptions(options), ...(settings.connection?.sentinels ? {} : seed) });
  await connect(client, where, options.clock, () =>
    identify(seed, servers.tls || settings.connection?.tls !== undefined),
  );
  try {
    await selectDatabase(client, where);
    const server = await infoOf(client);
    assertUsable(where, server);
    const isCluster = settings.cluster === undefined ? server.isCluster : settings.cluster !== false;
    if (!isCluster) {
      if (servers.seeds.length > 1) throw noCluster(where);
      return { client, server };
    }
    client.disconnect();
    return { client: await dialCluster(options), server: { ...server, isCluster } };
  } catch (error) {
    client.disconnect();
    throw connectFailure(where, error);
  }
}

/** The driver does it too, and where it is refused goes on in another database. */
async function selectDatabase(client: Redis, where: string): Promise<void> {
  const { db = 0 } = client.options;
  if (db === 0) return;
  try {
    await client.select(db);
  } catch (error) {
    throw isReply(error) ? noDatabase(where, db, error) : error;
  }
}

async function dialCluster(options: LinkOptions): Promise<Cluster> {
  const { servers, settings } = options;
  const tuning = typeof settings.cluster === "object" ? settings.cluster : {};
  const cluster = new Cluster([...servers.seeds], {
    // Certificates name hosts, not addresses.
    ...(servers.tls && { dnsLookup: (address, done) => done(null, address) }),
    ...tuning,
    lazyConnect: true,
    clusterRetryStrategy: null,
    // The driver would send again what may have been done.
    retryDelayOnFailover: 0,
    // A command for a node whose connection is being made waits for it.
    enableOfflineQueue: true,
    redisOptions: driverOptions(options),
  });
  mindAsking(cluster);
  return connect(cluster, servers.seeds.map(({ host, port }) => `${host}:${port}`).join(", "), options.clock);
}

/** Waits until a client that the host made is ready, which may take for ever: the host connects it. */
export async function adopt(client: Client): Promise<Link> {
  if (client instanceof Cluster) mindAsking(client);
  if (client.status === "end") throw closed("connect", "the client that redis() was given");
  if (client.status === "wait") await client.connect();
  if (client.status !== "ready") await new Promise<void>((resolve) => client.once("ready", () => resolve()));
  const server = await infoOf(client);
  assertUsable("the client's server", server);
  return { client, server };
}

/** A host's client is adopted anew whenever it has come back. */
const minded = new WeakSet<Cluster>();

/**
 * While a slot moves the driver sends `ASKING` ahead of a command and forgets about the answer. Where the connection ends then, nobody would have handled that, and Node would end the
 * process. The command itself fails too, and is told of.
 */
function mindAsking(cluster: Cluster): void {
  if (minded.has(cluster)) return;
  minded.add(cluster);
  const mind = (node: Redis) => {
    const { asking } = node;
    node.asking = (...args) => {
      const answer = asking.apply(node, args);
      answer.catch(() => {});
      return answer;
    };
  };
  for (const node of cluster.nodes("all")) mind(node);
  cluster.on("+node", mind);
}

/** Another connection to the same server, or to any node of the cluster, for subscriptions. */
export async function duplicate({ client }: Link, name: string, silenceMs: number, clock: Clock): Promise<Redis> {
  let node: Redis | undefined;
  if (client instanceof Redis) node = client;
  else {
    const nodes = client.nodes("all");
    node = nodes[Math.floor(Math.random() * nodes.length)];
  }
  if (node === undefined) throw new Error("no node of the cluster is known");
  const copy = node.duplicate({ ...FIXED, readOnly: false, socketTimeout: silenceMs, connectionName: name });
  return connect(copy, "the server", clock);
}

/** Whether a connection that was made by {@link duplicate} is to one of the servers behind the link. */
export function isBehind({ client }: Link, copy: Redis): boolean {
  if (client instanceof Redis) return true;
  const { host, port } = copy.options;
  return client.nodes("all").some(({ options }) => options.host === host && options.port === port);
}

function driverOptions({ servers, settings, name }: LinkOptions): DriverOptions {
  const { username, password, db, tls } = servers;
  return {
    connectTimeout: settings.commandTimeoutMs * CONNECT_SHARE,
    // Of the driver's own: when nothing comes though an answer is owed, the connection is dead.
    socketTimeout: settings.commandTimeoutMs,
    disconnectTimeout: 500,
    connectionName: name,
    ...settings.connection,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== 0 && { db }),
    ...(tls && { tls: settings.connection?.tls ?? {} }),
    ...FIXED,
  };
}

/** @param explain Throws what is known better than the client knows it. */
async function connect<T extends Client>(
  client: T,
  where: string,
  clock: Clock,
  explain?: () => Promise<void>,
): Promise<T> {
  let reported: unknown;
  // The listener stays: an error that nobody listens to is printed. What matters of later ones, the end of the connection tells.
  client.on("error", (error: unknown) => {
    reported = error;
  });
  client.on("node error", (error: unknown) => {
    reported = error;
  });
  let cancel = () => {};
  try {
    // The driver leaves some of its promises open for ever, such as that of a cluster which was not ready yet.
    await new Promise<void>((resolve, reject) => {
      cancel = clock.schedule(PATIENCE_MS, () => reject(new Error(`it was not ready within ${PATIENCE_MS} ms`)));
      client.once("end", () => reject(new Error("the connection ended before it was ready")));
      client.connect().then(resolve, reject);
    });
    return client;
  } catch (error) {
    client.disconnect();
    const failure = connectFailure(where, reported ?? error);
    if (failure.code === "UNAVAILABLE") await explain?.();
    throw failure;
  } finally {
    cancel();
  }
}

async function infoOf(client: Client): Promise<ServerInfo> {
  try {
    return serverInfoOf(await client.info());
  } catch (error) {
    if (!isReply(error, "NOPERM")) throw error;
    return serverInfoOf("");
  }
}
