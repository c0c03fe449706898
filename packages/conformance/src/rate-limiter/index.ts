import type { ConformanceCase } from "../case.ts";
import { apartCases } from "./apart.ts";
import { permitsCases } from "./permits.ts";
import { unreachableCases } from "./unreachable.ts";
import { waitsCases } from "./waits.ts";

/** What a rate limiter promises: RL-1 to RL-4. */
export const rateLimiterCases: readonly ConformanceCase[] = [
  ...permitsCases,
  ...waitsCases,
  ...apartCases,
  ...unreachableCases,
];
