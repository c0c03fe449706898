import type { ConformanceCase } from "../case.ts";
import { workerCrashes } from "./worker-crashes.ts";

/** What the SDK promises on any bus and store. */
export const lifecycleCases: readonly ConformanceCase[] = [...workerCrashes];
