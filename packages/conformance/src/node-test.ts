/**
 * Binds conformance cases to `node:test`.
 * @packageDocumentation
 */
import { describe, test } from "node:test";
import type { ConformanceCase } from "./case.ts";
import type { Harness } from "./harness.ts";
import { type BindOptions, runCase } from "./run.ts";

/** Declares one `node:test` test per case; a skipped one prints its reason. */
export function describeConformance(
  harness: Harness,
  cases: readonly ConformanceCase[],
  options: BindOptions = {},
): void {
  describe(`${harness.name} keeps the contract`, { concurrency: options.concurrent ?? false }, () => {
    for (const testCase of cases) {
      test(`${testCase.id} (${testCase.guarantees.join(", ")}): ${testCase.title}`, async (t) => {
        const result = await runCase(testCase, harness, options);
        if (result.status === "skipped") t.skip(result.reason);
        if (result.status === "failed") throw result.error;
      });
    }
  });
}
