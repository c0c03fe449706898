// npm test: every check of the repository, in order. `npm test -- lint types` runs the named steps only.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { VitestTotals } from "./totals-reporter.ts";

const root = resolve(import.meta.dirname, "..");
const results = resolve(root, ".results");
const vitestTotals = resolve(results, "vitest.json");
/** Tests start some hundred processes from the sources: each takes a third of its time where this is warm. */
const compiled = resolve(results, "compiled");

/** Leaves the totals. */
const VITEST = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=default",
  `--reporter=${resolve(root, "scripts/totals-reporter.ts")}`,
];
/** What needs real servers, and a machine that is not busy with something else. */
const ON_SERVERS = [
  "test/brokers",
  "test/browser",
  "test/faults",
  "test/interop",
  "test/matrix",
  "test/servers",
  "test/stores",
  "test/torture",
];

/** The memory bus in real time with a real store: what it has, the suites of stores and the other pairs have too. */
const ONLY_IN_SOAK = "test/matrix/lifecycle-memory.test.ts";

interface Step {
  name: string;
  says: string;
  command: string[];
  /** Shows what it prints while it runs; of the other steps it is shown when they fail. */
  loud?: boolean;
  /** Its tests count one by one. */
  tests?: boolean;
  /** Elsewhere it runs only when it is named. */
  onlyInCi?: boolean;
}

const steps: Step[] = [
  {
    name: "lint",
    says: "format and lint (biome)",
    command: ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
  },
  {
    name: "types",
    says: "types, type tests included (tsc)",
    command: ["node_modules/typescript/bin/tsc"],
  },
  {
    name: "build",
    says: "build of the packages (tsup)",
    command: ["node_modules/tsup/dist/cli-default.js"],
  },
  {
    name: "tests",
    says: "unit, conformance, architecture, package and example tests (vitest)",
    command: [...VITEST, ...ON_SERVERS.map((folder) => `--exclude=${folder}/**`)],
    loud: true,
    tests: true,
  },
  {
    name: "servers",
    says: "servers to test with: found, or made once and kept in a cache",
    command: [
      "test/servers/prepare.ts",
      "nats",
      "rabbit",
      "redis",
      "valkey",
      "mongo",
      "nats@2.9",
      "nats@2.10",
      "rabbit@3.10",
      "redis@7.0",
      "chromium",
    ],
    loud: true,
  },
  {
    name: "brokers",
    says: "tests on real servers (vitest): they mostly wait",
    // What should come soon comes late on a machine that is busy with something else. The soak tries nothing twice.
    command: [...VITEST, "--maxWorkers=3", "--retry=1", `--exclude=${ONLY_IN_SOAK}`, ...ON_SERVERS],
    loud: true,
    tests: true,
  },
  {
    name: "docs",
    says: "API reference (typedoc)",
    command: ["node_modules/typedoc/bin/typedoc"],
  },
  {
    name: "soak",
    says: "one part of the soak, drawn by chance; the seed that it prints repeats it",
    command: ["scripts/soak.ts", "--slice"],
    loud: true,
    onlyInCi: true,
  },
];

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

function run(step: Step): void {
  const [script = "", ...args] = step.command;
  rmSync(vitestTotals, { force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    stdio: step.loud === true ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env, INTERMODAL_TEST_RESULTS: vitestTotals },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const passed = status === 0;
  if (step.name === "build" && passed) process.env.INTERMODAL_BUILT = "yes";
  if (!passed) process.stdout.write(`${stdout ?? ""}${stderr ?? ""}`);
  if (step.tests === true) countTests(passed);
  totals[passed ? "passed" : "failed"]++;
  if (!passed) failures.push(step.says);
}

/** The tests that vitest ran count one by one, beside the step itself. */
function countTests(passed: boolean): void {
  let ran: VitestTotals;
  try {
    ran = JSON.parse(readFileSync(vitestTotals, "utf8")) as VitestTotals;
  } catch {
    if (passed) throw new Error(`vitest left no totals in ${vitestTotals}`);
    return;
  }
  totals.passed += ran.passed;
  totals.failed += ran.failures.length;
  totals.skipped += ran.skips.length;
  failures.push(...ran.failures);
  for (const { test, reason } of ran.skips) console.log(`skipped: ${test}: ${reason}`);
  for (const test of ran.retried) console.log(`passed when tried again: ${test}`);
}

function chosen(names: string[]): Step[] {
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`Unknown step ${unknown.join(", ")}. The steps: ${steps.map((step) => step.name).join(", ")}.`);
    process.exit(2);
  }
  if (names.length > 0) return steps.filter((step) => names.includes(step.name));
  return steps.filter(({ onlyInCi }) => onlyInCi !== true || Boolean(process.env.CI));
}

const toRun = chosen(process.argv.slice(2));
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const started = performance.now();
for (const [index, step] of toRun.entries()) {
  console.log(`[${index + 1}/${toRun.length}] ${step.name}: ${step.says}`);
  const stepStarted = performance.now();
  const failedBefore = totals.failed;
  run(step);
  const seconds = ((performance.now() - stepStarted) / 1_000).toFixed(1);
  console.log(`      ${totals.failed === failedBefore ? "passed" : "FAILED"} in ${seconds} s`);
}

const line = `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`;
writeFileSync(resolve(results, "totals.txt"), `${line}\n`);
for (const failure of failures) console.log(`failed: ${failure}`);
const seconds = Math.round((performance.now() - started) / 1_000);
console.log(`${toRun.length} steps and their tests: ${line} (${seconds} s)`);
process.exitCode = totals.failed === 0 ? 0 : 1;
