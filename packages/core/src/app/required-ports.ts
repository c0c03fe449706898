import { IntermodalError } from "../errors.ts";
import type { Registration } from "../worker/queue-worker.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Finds out at the start, not at the first message, whether the ports are there that the registered handlers need.
 * @throws `PORT_MISSING`.
 */
export function assertPortsFor(registrations: ReadonlyMap<string, Registration>, runtime: Runtime): void {
  for (const { contract } of registrations.values()) {
    if (contract.kind !== "task") continue;
    void runtime.store;
    if (contract.rateLimit === undefined || runtime.ports.rateLimiter !== undefined) continue;
    throw new IntermodalError(
      "PORT_MISSING",
      `task "${contract.name}" has a rate limit, and no adapter has a rate limiter that all workers share: use one for the store that has, or leave out the limit`,
    );
  }
}
