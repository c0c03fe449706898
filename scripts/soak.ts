// npm run soak: see USAGE in soak/steps.ts.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Summary } from "../test/torture/summary.ts";
import { describeMachine, figuresOfTests, figuresOfTorture, page, type Result } from "./soak/report.ts";
import { parseSoak, type SoakOptions, type Step, stepsOf, USAGE } from "./soak/steps.ts";
import type { VitestTotals } from "./totals-reporter.ts";

const root = resolve(import.meta.dirname, "..");
const folder = resolve(root, ".results");
/** In the repository, so that a run of one part, wherever it is made, keeps what others left. */
const resultsFile = resolve(root, "docs/soak.json");
const endWithParent = pathToFileURL(resolve(root, "scripts/end-with-parent.mjs")).href;

let options: SoakOptions;
try {
  options = parseSoak(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

let stopping = false;
const steps = stepsOf(options);
const results: Result[] = [];
console.log(`soak with the seed ${options.seed}: ${steps.length === 1 ? "1 part" : `${steps.length} parts`}`);
for (const step of steps) {
  if (stopping) break;
  const result = await runStep(step);
  results.push(result);
  if (!options.slice) keep(result);
}
for (const { name, passed, seconds, figures } of results) {
  console.log(`${passed ? "ok " : "NOT"} ${name} (${Math.round(seconds)} s): ${figures}`);
}
process.exit(!stopping && results.every(({ passed }) => passed) ? 0 : 1);

async function runStep(step: Step): Promise<Result> {
  const startedAt = new Date();
  const figures: (VitestTotals | Summary)[] = [];
  const failures: string[] = [];
  for (let run = 1; run <= step.runs && !stopping; run++) {
    console.log(`\n--- ${step.name}${step.runs > 1 ? `, run ${run} of ${step.runs}` : ""}`);
    const file = resolve(folder, "soak-part.json");
    rmSync(file, { force: true });
    const status = await runCommand(step, run, file);
    const found = readJson<VitestTotals | Summary>(file);
    if (found !== undefined) figures.push(found);
    const told = found === undefined ? [] : "problems" in found ? found.problems : found.failures;
    failures.push(...told);
    if (status !== 0 && told.length === 0) failures.push(`run ${run} ended with ${status}`);
    rmSync(file, { force: true });
  }
  return {
    name: step.name,
    command: commandOf(step),
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    machine: describeMachine(),
    passed: failures.length === 0 && !stopping,
    figures: figuresOf(figures),
    failures,
  };
}

function figuresOf(figures: readonly (VitestTotals | Summary)[]): string {
  if (figures.length === 0) return "it left no figures";
  const summary = figures.find((one) => "problems" in one);
  return summary === undefined ? figuresOfTests(figures as VitestTotals[]) : figuresOfTorture(summary);
}

/** @returns its exit status, or the signal that ended it. */
function runCommand(
  { command, collects, environment }: Step,
  run: number,
  file: string,
): Promise<number | NodeJS.Signals> {
  const reporters = ["--reporter=default", `--reporter=${resolve(root, "scripts/totals-reporter.ts")}`];
  const args = collects === "tests" ? [...command, ...reporters] : [...command, "--json", file];
  const child = spawn(process.execPath, ["--conditions=@intermodal/source", `--import=${endWithParent}`, ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...environment, INTERMODAL_RUN: String(run), INTERMODAL_TEST_RESULTS: file },
  });
  const stop = (signal: NodeJS.Signals) => {
    stopping = true;
    child.kill(signal);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return new Promise((done) => {
    child.once("error", () => done(-1));
    child.once("exit", (status, signal) => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      done(signal ?? status ?? -1);
    });
  });
}

function commandOf({ command, collects, environment }: Step): string {
  if (collects === "torture") return ["npm run torture --", ...command.slice(1)].join(" ");
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value} `);
  return `${variables.join("")}npm run vitest -- ${command.slice(1).join(" ")}`;
}

/** Each part's latest result, after every part: a run that is broken off has not run for nothing. */
function keep(result: Result): void {
  const earlier = readJson<readonly Result[]>(resultsFile) ?? [];
  const others = earlier.filter(({ name }) => name !== result.name);
  const all = [...others, result].sort((one, other) => one.name.localeCompare(other.name));
  writeFileSync(resultsFile, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(resolve(root, "docs/soak.md"), page(all));
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}
