import type { Sabotage } from "./sabotage.ts";
import { LOOKS } from "./schedule-store/looks.ts";
import { OUTAGES } from "./schedule-store/outages.ts";
import { sabotagesOf } from "./schedule-store/store.ts";
import { VALUES } from "./schedule-store/values.ts";
import { WRITES } from "./schedule-store/writes.ts";

/** Schedule stores that are right in everything but one promise. */
export const scheduleStoreSabotages: readonly Sabotage[] = sabotagesOf([...WRITES, ...LOOKS, ...VALUES, ...OUTAGES]);
