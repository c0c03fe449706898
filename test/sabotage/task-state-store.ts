import type { Sabotage } from "./sabotage.ts";
import { CLAIMS } from "./task-state-store/claims.ts";
import { FAMILIES } from "./task-state-store/families.ts";
import { OUTAGES } from "./task-state-store/outages.ts";
import { RECORDS } from "./task-state-store/records.ts";
import { SETTLES } from "./task-state-store/settles.ts";
import { sabotagesOf } from "./task-state-store/store.ts";
import { SUBMITS } from "./task-state-store/submits.ts";

/** Task state stores that are right in everything but one promise. */
export const taskStateStoreSabotages: readonly Sabotage[] = sabotagesOf([
  ...SUBMITS,
  ...CLAIMS,
  ...SETTLES,
  ...FAMILIES,
  ...RECORDS,
  ...OUTAGES,
]);
