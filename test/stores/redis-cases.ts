import { type ConformanceCase, casesFor } from "@intermodal/conformance";
import type { RedisOptions } from "@intermodal/store-redis";

/** Of everything that the Redis store is. */
const all = casesFor(["taskStateStore", "eventStream", "scheduleStore", "rateLimiter", "inbox"]);

const isExpiry = ({ id }: ConformanceCase) => id === "event-stream/unfinished-expires";

/** The cases, with what the store is made with for them. */
export const CASES: readonly { readonly cases: readonly ConformanceCase[]; readonly options: RedisOptions }[] = [
  { cases: all.filter((testCase) => !isExpiry(testCase)), options: {} },
  // Streams that are never finished go soon: for the case that waits for it, and for no others.
  { cases: all.filter(isExpiry), options: { streamSafetyTtlMs: 2_000 } },
];
