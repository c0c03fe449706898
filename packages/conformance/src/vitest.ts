/**
 * Binds conformance cases to vitest.
 * @packageDocumentation
 */
import { describe, test } from "vitest";
import type { ConformanceCase } from "./case.ts";
import type { Harness } from "./harness.ts";
import { CLEANUP_LIMIT_MS, DEFAULT_LIMIT_MS, type RunOptions, runCase } from "./run.ts";

/** Declares one vitest test per case. Cases run one after another; a skipped one prints its reason. */
export function describeConformance(
  harness: Harness,
  cases: readonly ConformanceCase[],
  options: RunOptions = {},
): void {
  const timeout = (options.limitMs ?? DEFAULT_LIMIT_MS) + CLEANUP_LIMIT_MS + 1_000;
  describe(`${harness.name} keeps the contract`, () => {
    for (const testCase of cases) {
      test(`${testCase.id} (${testCase.guarantees.join(", ")}): ${testCase.title}`, { timeout }, async (t) => {
        const result = await runCase(testCase, harness, options);
        if (result.status === "skipped") t.skip(result.reason);
        if (result.status === "failed") throw result.error;
      });
    }
  });
}
