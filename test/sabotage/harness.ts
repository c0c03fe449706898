import { type CaseResult, type ConformanceCase, runCase } from "@intermodal/conformance";
import { memoryHarness } from "../conformance/memory-harness.ts";
import type { Sabotage } from "./sabotage.ts";

/** A case that hangs on a sabotaged adapter is a case that fails, but it should not take long. */
const LIMIT_MS = 20_000;

/** Cases about the longest payload make one: the shortest limit that the contract allows saves most of their time. */
const limits = { maxPayloadBytes: 1_048_576 };

/** Runs a case on sabotaged memory adapters over a server of their own. */
export function runSabotaged(testCase: ConformanceCase, sabotage: Sabotage): Promise<CaseResult> {
  const harness = memoryHarness({ name: sabotage.name, limits, wrap: sabotage.wrap });
  return runCase(testCase, harness, { limitMs: LIMIT_MS });
}
