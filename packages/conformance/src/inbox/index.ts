import type { ConformanceCase } from "../case.ts";
import { apartCases } from "./apart.ts";
import { completingCases } from "./completing.ts";
import { reservingCases } from "./reserving.ts";
import { unreachableCases } from "./unreachable.ts";

/** What an inbox promises: IN-1 to IN-5. */
export const inboxCases: readonly ConformanceCase[] = [
  ...reservingCases,
  ...completingCases,
  ...apartCases,
  ...unreachableCases,
];
