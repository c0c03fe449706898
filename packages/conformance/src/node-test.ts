/**
 * Binds conformance cases to `node:test`.
 * @packageDocumentation
 */
import { describe, test } from "node:test";
import type { ConformanceCase } from "./case.ts";
import type { Harness } from "./harness.ts";
import { type RunOptions, runCase } from "./run.ts";

/** Declares one `node:test` test per case. Cases run one after another; a skipped one prints its reason. */
export function describeConformance(
  harness: Harness,
  cases: readonly ConformanceCase[],
  options: RunOptions = {},
): void {
  describe(`${harness.name} keeps the contract`, () => {
    for (const testCase of cases) {
      test(`${testCase.id} (${testCase.guarantees.join(", ")}): ${testCase.title}`, async (t) => {
        const result = await runCase(testCase, harness, options);
        if (result.status === "skipped") t.skip(result.reason);
        if (result.status === "failed") throw result.error;
      });
    }
  });
}
