// A vitest reporter that leaves the totals where scripts/test.ts reads them, and fails the run where a test was skipped
// without saying why: `ctx.skip("the reason")`. It ends the run where a worker says nothing any more: a test that never gives
// the event loop back can't be stopped by its timeout.
import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/** Longer than a test may take at its ordinary size; at full size some test ends sooner. */
const STALLED_MS = 400_000;

export interface VitestTotals {
  passed: number;
  /** The names of the tests that failed, and of the files that could not be run. */
  failures: string[];
  skips: { test: string; reason: string }[];
  /** Those that passed only when they were tried again, each with what it failed with before. */
  retried: string[];
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

export default class TotalsReporter implements Reporter {
  #vitest: Vitest | undefined;
  #lastSignOfLife = Date.now();
  #watch: NodeJS.Timeout | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(): void {
    this.#watch = setInterval(() => this.#endIfStalled(), 5_000);
  }

  onTestModuleEnd(): void {
    this.#lastSignOfLife = Date.now();
  }

  onTestCaseResult(): void {
    this.#lastSignOfLife = Date.now();
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    clearInterval(this.#watch);
    const totals: VitestTotals = { passed: 0, failures: [], skips: [], retried: [] };
    for (const module of modules) {
      const broken = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0);
      for (const part of broken) {
        const name = part.type === "module" ? module.relativeModuleId : `${module.relativeModuleId} > ${part.fullName}`;
        for (const error of part.errors()) totals.failures.push(`${name}: ${error.message}`);
      }
      for (const test of module.children.allTests()) this.#count(test, broken.length > 0, totals);
    }
    for (const error of unhandledErrors) totals.failures.push(`outside of any test: ${error.message}`);
    const file = process.env.INTERMODAL_TEST_RESULTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(totals, null, 2));
  }

  #endIfStalled(): void {
    if (Date.now() - this.#lastSignOfLife < STALLED_MS || this.#vitest === undefined) return;
    const modules = this.#vitest.state.getTestModules();
    const open = modules.filter((module) => module.state() === "pending" || module.state() === "queued");
    const message = `nothing was heard of ${open.map((module) => module.relativeModuleId).join(", ")} for ${STALLED_MS} ms`;
    console.error(message);
    this.onTestRunEnd(modules, [{ message }]);
    process.exit(1);
  }

  #count(test: TestCase, besideBroken: boolean, totals: VitestTotals): void {
    const result = test.result();
    if (result.state === "passed" && (test.diagnostic()?.retryCount ?? 0) > 0)
      totals.retried.push(`${nameOf(test)}: ${result.errors?.[0]?.message}`);
    if (result.state === "passed") totals.passed++;
    else if (result.state !== "skipped") totals.failures.push(nameOf(test));
    else if (result.note !== undefined) totals.skips.push({ test: nameOf(test), reason: result.note });
    else if (besideBroken) totals.failures.push(`${nameOf(test)}: did not run`);
    else {
      totals.failures.push(`${nameOf(test)}: skipped without a reason`);
      process.exitCode = 1;
    }
  }
}
