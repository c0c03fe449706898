/**
 * Binds conformance cases to vitest.
 * @packageDocumentation
 */
import { describe, test } from "vitest";
import type { ConformanceCase } from "./case.ts";
import type { Harness } from "./harness.ts";
import { type BindOptions, CLEANUP_LIMIT_MS, DEFAULT_LIMIT_MS, runCase } from "./run.ts";

/** Declares one vitest test per case; a skipped one prints its reason. */
export function describeConformance(
  harness: Harness,
  cases: readonly ConformanceCase[],
  options: BindOptions = {},
): void {
  const timeout = (options.limitMs ?? DEFAULT_LIMIT_MS) + CLEANUP_LIMIT_MS + 1_000;
  describe(`${harness.name} keeps the contract`, () => {
    for (const testCase of cases) {
      const title = `${testCase.id} (${testCase.guarantees.join(", ")}): ${testCase.title}`;
      test(title, { timeout, concurrent: options.concurrent ?? false }, async (t) => {
        const result = await runCase(testCase, harness, options);
        if (result.status === "skipped") t.skip(result.reason);
        if (result.status === "failed") throw result.error;
      });
    }
  });
}
