// A vitest reporter that leaves the totals where scripts/test.ts reads them, and fails the run where a test was skipped
// without saying why: `ctx.skip("the reason")`.
import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule } from "vitest/node";

export interface VitestTotals {
  passed: number;
  /** The names of the tests that failed, and of the files that could not be run. */
  failures: string[];
  skips: { test: string; reason: string }[];
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const totals: VitestTotals = { passed: 0, failures: [], skips: [] };
    for (const module of modules) {
      for (const error of module.errors()) totals.failures.push(`${module.relativeModuleId}: ${error.message}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) totals.failures.push(`${suite.fullName}: ${error.message}`);
      }
      for (const test of module.children.allTests()) this.#count(test, totals);
    }
    for (const error of unhandledErrors) totals.failures.push(`outside of any test: ${error.message}`);
    const file = process.env.INTERMODAL_TEST_RESULTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(totals, null, 2));
  }

  #count(test: TestCase, totals: VitestTotals): void {
    const result = test.result();
    if (result.state === "passed") totals.passed++;
    else if (result.state === "skipped" && result.note !== undefined) {
      totals.skips.push({ test: nameOf(test), reason: result.note });
    } else if (result.state === "skipped") {
      totals.failures.push(`${nameOf(test)}: skipped without a reason`);
      process.exitCode = 1;
    } else totals.failures.push(nameOf(test));
  }
}
