import type { ConformanceCase } from "../case.ts";
import { cancellerDies } from "./canceller-dies.ts";
import { replayerCrashes } from "./replayer-dies.ts";
import { submitterDies, submitterDiesAndAnotherSubmits } from "./submitter-dies.ts";

/** Clients that die in the middle of what they do. */
export const clientCrashes: readonly ConformanceCase[] = [
  submitterDies,
  submitterDiesAndAnotherSubmits,
  cancellerDies,
  ...replayerCrashes,
];
