import { type AdapterFactory, type App, type AppOptions, createApp, silentLogger } from "@intermodal/core";

/** Where an app is, and how it differs from what an application would write. */
export interface Place {
  readonly url: string;
  readonly namespace: string;
  /** @default "faults" */
  readonly name?: string | undefined;
  readonly concurrency?: number | undefined;
  /** Leases of {@link SHORT_LEASE_MS} rather than the defaults. */
  readonly shortLeases?: boolean | undefined;
}

export type BrokerKind = "nats" | "rabbit";

/** How long a holder that died or froze keeps its deliveries, by default. */
export const LEASE_MS: Readonly<Record<BrokerKind, number>> = { nats: 10_000, rabbit: 15_000 };
export const SHORT_LEASE_MS = 3_000;

/** An app on one broker, by its URL as applications have it. */
export async function appAt(place: Place, options: Partial<AppOptions> = {}): Promise<App> {
  const { url, namespace, name = "faults", concurrency, shortLeases = false } = place;
  const adapters = shortLeases ? [await withShortLeases(url)] : [];
  return createApp({
    logger: silentLogger,
    name,
    namespace,
    concurrency,
    adapters,
    commands: url,
    events: url,
    state: "memory:",
    streams: "memory:",
    ...options,
  });
}

async function withShortLeases(url: string): Promise<AdapterFactory> {
  if (url.startsWith("nats:")) return (await import("@intermodal/adapter-nats")).nats({ leaseMs: SHORT_LEASE_MS });
  return (await import("@intermodal/adapter-rabbit")).rabbit({ heartbeatMs: SHORT_LEASE_MS / 3 });
}
