import { IntermodalError } from "@intermodal/core/ports";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";

/** How the adapter works; every default suits a single server. */
export interface NatsOptions {
  /** Every option of the client: TLS and mTLS, authenticators (NKEY, JWT), ping times, … What the URL says about servers and credentials comes first. */
  readonly connection?: Omit<NodeConnectionOptions, "servers" | "port"> | undefined;
  /** A connection that the host has already: used, never closed. It should reconnect for ever (`maxReconnectAttempts: -1`). */
  readonly client?: NatsConnection | undefined;
  /** JetStream's domain, for leaf nodes. */
  readonly domain?: string | undefined;
  /** JetStream's API prefix where an account imports it under another name; excludes `domain`. @default "$JS.API" */
  readonly apiPrefix?: string | undefined;
  /** How long a delivery stays with a worker that stopped renewing it, 1,000 to 15,000 ms. @default 10,000 */
  readonly leaseMs?: number | undefined;
  /** How long a send, and any other call, waits for the server before it rejects with `UNAVAILABLE`. @default 10,000 */
  readonly sendTimeoutMs?: number | undefined;
  /** Copies of each stream in a cluster. @default 1 for new streams; existing ones stay as they are */
  readonly replicas?: number | undefined;
  /** How long events are kept, at least 120,000 ms. @default 7 days for a new stream; an existing one stays as it is */
  readonly eventRetentionMs?: number | undefined;
  /** Limits of the stream of commands. Ordinary sends stop at 90 % of them, so that retries and dead letters always find room. @default none */
  readonly taskLimits?: StreamLimits | undefined;
  /** Limits of the stream of events; past them the oldest events go. @default none */
  readonly eventLimits?: StreamLimits | undefined;
}

/** Where a limit is absent, the stream stays as it is. */
export interface StreamLimits {
  readonly maxBytes?: number | undefined;
  readonly maxMessages?: number | undefined;
}

/** The options with everything filled in that has a value by default. */
export interface Settings extends NatsOptions {
  readonly leaseMs: number;
  readonly sendTimeoutMs: number;
  readonly apiPrefix: string;
}

const SHORTEST_LEASE_MS = 1_000;
/** A message whose holder dies is to come to another one no later. */
export const LONGEST_LEASE_MS = 15_000;
/** Within which the server recognises a message id that it had before. */
export const DEDUPE_WINDOW_MS = 120_000;

/** @throws `CONFIG_INVALID`. */
export function settingsOf(options: NatsOptions): Settings {
  const { leaseMs = 10_000, sendTimeoutMs = 10_000, eventRetentionMs, domain, apiPrefix } = options;
  if (!(leaseMs >= SHORTEST_LEASE_MS && leaseMs <= LONGEST_LEASE_MS))
    throw invalid(`leaseMs is ${leaseMs}, but must be from ${SHORTEST_LEASE_MS} to ${LONGEST_LEASE_MS}`);
  if (!(sendTimeoutMs > 0)) throw invalid(`sendTimeoutMs is ${sendTimeoutMs}, but must be above 0`);
  // No server remembers ids for longer than it keeps what had them.
  if (eventRetentionMs !== undefined && !(eventRetentionMs >= DEDUPE_WINDOW_MS))
    throw invalid(`eventRetentionMs is ${eventRetentionMs}, but must be at least ${DEDUPE_WINDOW_MS}`);
  if (domain !== undefined && apiPrefix !== undefined) throw invalid("domain and apiPrefix exclude each other");
  const prefix = domain === undefined ? (apiPrefix ?? "$JS.API") : `$JS.${domain}.API`;
  return { ...options, leaseMs, sendTimeoutMs, apiPrefix: prefix.replace(/\.$/, "") };
}

function invalid(what: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `nats(): ${what}`);
}
