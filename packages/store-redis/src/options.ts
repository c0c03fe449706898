import { IntermodalError } from "@intermodal/core/ports";
import type { Cluster, ClusterOptions, RedisOptions as DriverOptions, Redis } from "ioredis";

/** What the store decides itself, since its promises rest on it: how connections are kept up, and that nothing is written twice unasked. */
type Decided =
  | "host"
  | "port"
  | "lazyConnect"
  | "enableReadyCheck"
  | "maxLoadingRetryTime"
  | "enableOfflineQueue"
  | "offlineQueue"
  | "commandQueue"
  | "autoResendUnfulfilledCommands"
  | "autoResubscribe"
  | "retryStrategy"
  | "reconnectOnError"
  | "maxRetriesPerRequest"
  | "enableAutoPipelining"
  | "keyPrefix"
  | "readOnly"
  | "monitor"
  | "scripts"
  | "himportFieldsets"
  | "stringNumbers"
  | "replyMapping";

/** The same for a cluster. */
type DecidedForCluster =
  | Decided
  | "redisOptions"
  | "clusterRetryStrategy"
  | "clusterNodeRetryStrategy"
  | "retryDelayOnFailover"
  | "scaleReads"
  | "shardedSubscribers";

/** How the store works; every default suits a single server. */
export interface RedisOptions {
  /** Options of the client: TLS, user and password, sentinels, time-outs … What the URL says about servers and credentials comes first. */
  readonly connection?: Omit<DriverOptions, Decided> | undefined;
  /**
   * Whether the servers are a Redis Cluster; an object holds options of ioredis for clusters, such as `natMap`.
   * @default what the server says of itself
   */
  readonly cluster?: boolean | Omit<ClusterOptions, DecidedForCluster> | undefined;
  /**
   * A client that the host has already: used for commands, never closed. It should have `autoResendUnfulfilledCommands: false` (a cluster's,
   * `retryDelayOnFailover: 0`) and reconnect for ever; a `keyPrefix` is refused.
   */
  readonly client?: Redis | Cluster | undefined;
  /** How long any call waits for the server before it rejects with `UNAVAILABLE`. @default 5,000 */
  readonly commandTimeoutMs?: number | undefined;
  /** How many of the newest events of a stream are kept at the least. @default 10,000 */
  readonly maxStreamEvents?: number | undefined;
  /** How long a stream that is never finished is kept after its latest append. @default 7 days */
  readonly streamSafetyTtlMs?: number | undefined;
  /** How often a follower looks for itself, should a wake-up have been lost. @default 5,000 */
  readonly streamPollMs?: number | undefined;
}

/** The options with everything filled in that has a value by default. */
export interface Settings extends RedisOptions {
  readonly commandTimeoutMs: number;
  readonly maxStreamEvents: number;
  readonly streamSafetyTtlMs: number;
  readonly streamPollMs: number;
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

/** @throws `CONFIG_INVALID`. */
export function settingsOf(options: RedisOptions): Settings {
  const {
    commandTimeoutMs = 5_000,
    maxStreamEvents = 10_000,
    streamSafetyTtlMs = WEEK_MS,
    streamPollMs = 5_000,
    client,
  } = options;
  const settings = { ...options, commandTimeoutMs, maxStreamEvents, streamSafetyTtlMs, streamPollMs };
  for (const name of ["commandTimeoutMs", "streamSafetyTtlMs", "streamPollMs", "maxStreamEvents"] as const)
    if (!(settings[name] > 0 && Number.isFinite(settings[name])))
      throw invalid(`${name} is ${settings[name]}, but must be a number above 0`);
  if (!Number.isInteger(maxStreamEvents)) throw invalid(`maxStreamEvents is ${maxStreamEvents}, but must be whole`);
  if (client?.options.keyPrefix)
    throw invalid("the client has a keyPrefix, which channels do not get; use a namespace instead");
  if ((client?.options as { stringNumbers?: boolean } | undefined)?.stringNumbers)
    throw invalid("the client gives out numbers as text (stringNumbers); the store needs one that does not");
  if (client !== undefined && (options.connection ?? options.cluster) !== undefined)
    throw invalid("client excludes connection and cluster");
  return settings;
}

function invalid(what: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `redis(): ${what}`);
}
