import type { ConformanceCase } from "../case.ts";
import { attemptsCases } from "./attempts.ts";
import { cancelCases } from "./cancel.ts";
import { changesCases } from "./changes.ts";
import { childKeyCases } from "./child-keys.ts";
import { childrenCloseCases } from "./children-close.ts";
import { claimCreatesCases } from "./claim-creates.ts";
import { claimRefusalCases } from "./claim-refusals.ts";
import { createCases } from "./create.ts";
import { dutiesCases } from "./duties.ts";
import { expiryCases } from "./expiry.ts";
import { hostileCases } from "./hostile.ts";
import { leaseCases } from "./lease.ts";
import { listCases } from "./list.ts";
import { lostAnswerCases } from "./lost-answers.ts";
import { oneWinnerCases } from "./one-winner.ts";
import { payloadCases } from "./payloads.ts";
import { progressCases } from "./progress.ts";
import { recoverCases } from "./recover.ts";
import { recoverPagesCases } from "./recover-pages.ts";
import { reopenCases } from "./reopen.ts";
import { staleTokenCases } from "./stale-token.ts";
import { terminalCases } from "./terminal.ts";
import { unreachableCases } from "./unreachable.ts";
import { versionCases } from "./version.ts";
import { withdrawCases } from "./withdraw.ts";

/** What a task state store promises: TS-1 to TS-23. */
export const taskStateStoreCases: readonly ConformanceCase[] = [
  ...createCases,
  ...withdrawCases,
  ...oneWinnerCases,
  ...leaseCases,
  ...staleTokenCases,
  ...attemptsCases,
  ...terminalCases,
  ...claimCreatesCases,
  ...claimRefusalCases,
  ...dutiesCases,
  ...childKeyCases,
  ...childrenCloseCases,
  ...cancelCases,
  ...reopenCases,
  ...listCases,
  ...hostileCases,
  ...payloadCases,
  ...recoverCases,
  ...recoverPagesCases,
  ...versionCases,
  ...expiryCases,
  ...changesCases,
  ...progressCases,
  ...unreachableCases,
  ...lostAnswerCases,
];
