import type { ConformanceCase } from "../case.ts";
import { appendOnceCases } from "./append-once.ts";
import { capCases } from "./cap.ts";
import { cursorCases } from "./cursor.ts";
import { dataCases } from "./data.ts";
import { endCases } from "./end.ts";
import { expiryCases } from "./expiry.ts";
import { followCases } from "./follow.ts";
import { gaplessCases } from "./gapless.ts";
import { outageCases } from "./outage.ts";
import { readCases } from "./read.ts";

/** What an event stream promises: ES-1 to ES-15. */
export const eventStreamCases: readonly ConformanceCase[] = [
  ...gaplessCases,
  ...appendOnceCases,
  ...endCases,
  ...readCases,
  ...followCases,
  ...capCases,
  ...cursorCases,
  ...dataCases,
  ...expiryCases,
  ...outageCases,
];
