import { sabotagesOf } from "./lifecycle/break.ts";
import { CARRIERS } from "./lifecycle/carriers.ts";
import { PART_A } from "./lifecycle/part-a.ts";
import { PART_B } from "./lifecycle/part-b.ts";
import { STORES } from "./lifecycle/stores.ts";
import type { Sabotage } from "./sabotage.ts";

/** Adapters that break what the life of tasks rests on. */
export const lifecycleSabotages: readonly Sabotage[] = [...sabotagesOf([...STORES, ...CARRIERS, ...PART_B]), ...PART_A];
