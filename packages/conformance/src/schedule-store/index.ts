import type { ConformanceCase } from "../case.ts";
import { answerCases } from "./answers.ts";
import { dueCases } from "./due.ts";
import { hostileCases } from "./hostile.ts";
import { outageCases } from "./outage.ts";
import { pageCases } from "./pages.ts";
import { putCases } from "./put.ts";
import { removeCases } from "./remove.ts";

/** What a schedule store promises: SC-1 to SC-9. */
export const scheduleStoreCases: readonly ConformanceCase[] = [
  ...putCases,
  ...answerCases,
  ...dueCases,
  ...pageCases,
  ...removeCases,
  ...hostileCases,
  ...outageCases,
];
