import type { RateLimiter } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";

/** Declares a case of this port; `limiter` is the first client. */
export function limiterCase(
  name: string,
  guarantees: readonly string[],
  title: string,
  run: (t: CaseContext, limiter: RateLimiter) => Promise<void>,
  needs?: readonly FaultName[],
): ConformanceCase {
  return {
    id: `rate-limiter/${name}`,
    subject: "rateLimiter",
    guarantees,
    title,
    ...(needs === undefined ? {} : { needs }),
    run: async (t) => run(t, await openLimiter(t)),
  };
}

/** Another client's rate limiter. */
export async function openLimiter(t: CaseContext, options?: { readonly namespace?: string }): Promise<RateLimiter> {
  const { rateLimiter } = await t.open(options);
  assert(rateLimiter !== undefined, "the adapter has a rate limiter");
  return rateLimiter;
}

/** A window that does not pass while a case runs. */
export const LONG_MS = 3_600_000;
