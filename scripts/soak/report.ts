import { cpus, totalmem, type } from "node:os";
import type { Summary } from "../../test/torture/summary.ts";
import type { VitestTotals } from "../totals-reporter.ts";

/** What came of one part. */
export interface Result {
  readonly name: string;
  /** How to run it again. */
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: string;
  readonly passed: boolean;
  readonly figures: string;
  readonly failures: readonly string[];
}

export function describeMachine(): string {
  const { length } = cpus();
  return `${length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()}, Node ${process.version.slice(1)}`;
}

/** @param runs one for each run that came to its end. */
export function figuresOfTests(runs: readonly VitestTotals[]): string {
  const passed = runs.map((run) => run.passed);
  const range = [...new Set([Math.min(...passed), Math.max(...passed)])].join(" to ");
  const failed = runs.reduce((sum, run) => sum + run.failures.length, 0);
  const skipped = runs.reduce((sum, run) => sum + run.skips.length, 0);
  const count = runs.length === 1 ? "1 run" : `${runs.length} runs in a row`;
  return `${count}: ${range} tests passed in each, ${failed} failed, ${skipped} skipped`;
}

export function figuresOfTorture(summary: Summary): string {
  const { options, version, acknowledged, refused, unknown, kills, restarts, seconds, groups } = summary;
  const number = new Intl.NumberFormat("en").format;
  const parts = [
    `server ${version}, seed ${options.seed}, ${number(seconds)} s`,
    `${number(acknowledged)} acknowledged; ${kills} workers killed, ${restarts} restarts of the broker`,
    `${number(refused)} sendings refused and ${number(unknown)} with a lost answer, repeated`,
  ];
  for (const { name, handled, dead, duplicates, missing, invented } of groups) {
    const { sentTwice, afterKill, afterRestart, unexplained } = duplicates;
    const again = sentTwice + afterKill + afterRestart + unexplained.length;
    parts.push(
      `${name}: ${number(handled)} handled, ${number(dead)} dead letters, ${missing.length} missing, ${invented.length} invented, ${number(again)} handled again (${sentTwice} sent twice, ${afterKill} worker killed, ${afterRestart} broker killed, ${unexplained.length} unexplained)`,
    );
  }
  return parts.join("; ");
}

/** The page of the results: the latest of each part. */
export function page(results: readonly Result[]): string {
  const rows = results.map(({ name, startedAt, passed, seconds, figures }) => {
    return `| ${name} | ${startedAt.slice(0, 10)} | ${passed ? "passed" : "**failed**"} | ${Math.round(seconds)} s | ${figures} |`;
  });
  const failures = results.flatMap(({ name, command, failures }) => {
    return failures.length === 0
      ? []
      : ["", `**${name}** (\`${command}\`)`, "", ...failures.map((line) => `- ${line}`)];
  });
  const machines = [...new Set(results.map(({ machine }) => machine))].join("; ");
  return [
    "# Soak",
    "",
    "`npm run soak` runs the conformance suites of brokers and stores, and the life of a task on every bus and store, ten times in a row; the suites and the faults once at full size; and commands and",
    "events while workers and brokers are killed. It takes as long as it takes, and writes this page. `npm run soak -- --slice` runs one small part of it, as CI does. A seed repeats the moments of its",
    "faults: `npm run torture -- nats --seed N`.",
    "",
    ...(results.length === 0
      ? ["No results yet."]
      : [`Machine: ${machines}.`, "", "| part | on | result | took | figures |", "|---|---|---|---|---|", ...rows]),
    "",
    "## Failures",
    ...(failures.length === 0 ? ["", results.length === 0 ? "No results yet." : "None."] : failures),
    "",
  ].join("\n");
}
