import type { ConformanceCase } from "../case.ts";
import { apartCases } from "./apart.ts";
import { appendOnceCases } from "./append-once.ts";
import { capCases } from "./cap.ts";
import { closedCases } from "./closed.ts";
import { cursorCases } from "./cursor.ts";
import { dataCases } from "./data.ts";
import { endCases } from "./end.ts";
import { expiryCases } from "./expiry.ts";
import { followCases } from "./follow.ts";
import { followEndsCases } from "./follow-ends.ts";
import { gaplessCases } from "./gapless.ts";
import { outageCases } from "./outage.ts";
import { readCases } from "./read.ts";
import { readersCases } from "./readers.ts";
import { slowReaderCases } from "./slow-reader.ts";

/** What an event stream promises: ES-1 to ES-15. */
export const eventStreamCases: readonly ConformanceCase[] = [
  ...gaplessCases,
  ...appendOnceCases,
  ...endCases,
  ...readCases,
  ...followCases,
  ...followEndsCases,
  ...capCases,
  ...cursorCases,
  ...slowReaderCases,
  ...dataCases,
  ...expiryCases,
  ...apartCases,
  ...outageCases,
  ...closedCases,
  ...readersCases,
];
