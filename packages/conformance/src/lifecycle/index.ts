import type { ConformanceCase } from "../case.ts";
import { announceCases } from "./announce.ts";
import { attemptsCases } from "./attempts.ts";
import { blockedCases } from "./blocked.ts";
import { cancelCases } from "./cancel.ts";
import { clientCrashes } from "./client-crashes.ts";
import { clientTroubles } from "./client-troubles.ts";
import { custodyCases } from "./custody.ts";
import { deadStreamCases } from "./dead-stream.ts";
import { deferredCases } from "./deferred.ts";
import { delaysCases } from "./delays.ts";
import { drainCases } from "./drain.ts";
import { failedStepCases } from "./failed-step.ts";
import { familyCases } from "./families.ts";
import { inboxCases } from "./inbox.ts";
import { invalidCases } from "./invalid.ts";
import { listenerCases } from "./listeners.ts";
import { poisonCases } from "./poison.ts";
import { redeliveredCases } from "./redelivered.ts";
import { replayCases } from "./replay.ts";
import { replayCrashes } from "./replay-crashes.ts";
import { runStreamCases } from "./run-stream.ts";
import { scheduleCases } from "./schedules.ts";
import { storeAwayCases } from "./store-away.ts";
import { unknownTypeCases } from "./unknown-type.ts";
import { withdrawnCases } from "./withdrawn.ts";
import { workerCrashes } from "./worker-crashes.ts";
import { workerTroubles } from "./worker-troubles.ts";
import { workflowCases } from "./workflow.ts";

/** What the SDK promises on any bus and store. */
export const lifecycleCases: readonly ConformanceCase[] = [
  ...announceCases,
  ...attemptsCases,
  ...blockedCases,
  ...cancelCases,
  ...clientCrashes,
  ...clientTroubles,
  ...custodyCases,
  ...deadStreamCases,
  ...deferredCases,
  ...delaysCases,
  ...drainCases,
  ...failedStepCases,
  ...familyCases,
  ...inboxCases,
  ...invalidCases,
  ...listenerCases,
  ...poisonCases,
  ...redeliveredCases,
  ...replayCases,
  ...replayCrashes,
  ...runStreamCases,
  ...scheduleCases,
  ...storeAwayCases,
  ...unknownTypeCases,
  ...withdrawnCases,
  ...workerCrashes,
  ...workerTroubles,
  ...workflowCases,
];
