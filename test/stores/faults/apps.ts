import type { App, AppOptions } from "@intermodal/core";
import { appAt, type Place, SHORT_LEASE_MS } from "../../faults/apps.ts";

/** Where an app is: on one broker, with its stores on another server. */
export interface StorePlace extends Place {
  readonly state: string;
  readonly streams: string;
}

/** How long a worker that died or froze keeps a task; with the broker's own lease nobody else has it for the longer of the two. */
export const SHORT_TASK_LEASE_MS = 1_500;
/** Soon, so that a test of seconds sees what the sweep mends; later than whatever has a lease. */
const SHORT_SWEEP = { intervalMs: 500, graceMs: SHORT_LEASE_MS };

/** An app as applications have it, by URLs. */
export function storeAppAt(place: StorePlace, options: Partial<AppOptions> = {}): Promise<App> {
  const { state, streams, shortLeases = false } = place;
  const short = shortLeases ? { taskLeaseMs: SHORT_TASK_LEASE_MS, sweep: SHORT_SWEEP } : {};
  return appAt(place, { state, streams, ...short, ...options });
}
