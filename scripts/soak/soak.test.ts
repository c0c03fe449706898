import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../test/torture/summary.ts";
import { figuresOfTests, figuresOfTorture, page, type Result } from "./report.ts";
import { parseSoak, stepsOf } from "./steps.ts";

const root = resolve(import.meta.dirname, "../..");

test("everything: each part for each broker, the suites ten times and once at full size, each torture with a seed of its own", () => {
  const steps = stepsOf(parseSoak(["--seed", "5"]));
  const suites = steps.filter(({ name }) => name.startsWith("conformance"));
  expect(suites.map(({ runs }) => runs)).toEqual([10, 1, 10, 1, 10, 1]);
  for (const { runs, environment } of suites) expect(environment.INTERMODAL_SIZE).toBe(runs === 1 ? "full" : undefined);
  const seeds = steps.filter(({ collects }) => collects === "torture").map(({ command }) => command.at(-1));
  expect(seeds).toEqual(["5", "6", "7", "8"]);
  expect(new Set(steps.map(({ name }) => name)).size).toBe(steps.length);
  expect(stepsOf(parseSoak(["--only", "rabbit"])).some(({ name }) => name.endsWith("nats"))).toBe(false);
  // Every bus with every store but memory with memory, and what runs over all of them.
  const matrix = stepsOf(parseSoak(["--only", "matrix", "--runs", "3"]));
  expect(matrix.map(({ runs }) => runs)).toEqual(Array.from({ length: 3 * 5 - 1 + 1 }, () => 3));
});

test("parts by name: those that have one of the texts in it", () => {
  const names = stepsOf(parseSoak(["--part", "on nats with redis", "--part", "rabbit with mongo"])).map(
    ({ name }) => name,
  );
  expect(names).toEqual([
    "the life of a task on nats with redis",
    "the life of a task on nats with redis-cluster",
    "the life of a task on rabbit with mongo",
  ]);
});

test("the scripts of all parts exist", () => {
  for (const { command } of stepsOf(parseSoak([]))) expect(existsSync(resolve(root, command[0] ?? ""))).toBe(true);
});

test("a slice is one part; its seed repeats it, and other seeds choose others", () => {
  const slices = Array.from({ length: 50 }, (_, seed) => stepsOf(parseSoak(["--slice", "--seed", String(seed)])));
  for (const steps of slices) expect(steps).toHaveLength(1);
  expect(stepsOf(parseSoak(["--slice", "--seed", "3"]))).toEqual(slices[3]);
  expect(new Set(slices.map(([step]) => step?.name)).size).toBe(4);
  const only = Array.from({ length: 50 }, (_, seed) =>
    stepsOf({ subjects: ["nats"], parts: [], slice: true, runs: 1, seed }),
  );
  expect(only.flat().every(({ name }) => name.endsWith("nats"))).toBe(true);
});

test.each([
  [["--only", "kafka"]],
  [["--seed", "-1"]],
  [["--seed", "x"]],
  [["--runs", "0"]],
  [["--part", "kafka"]],
  [["--slice", "--part", "nats"]],
  [["more"]],
])("refuses %j", (args) => {
  expect(() => parseSoak(args)).toThrow();
});

const result: Result = {
  name: "conformance of nats",
  command: "npm run vitest -- run test/brokers/nats",
  startedAt: "2026-01-02T03:04:05.678Z",
  seconds: 61.4,
  machine: "2 cores",
  passed: true,
  figures: "10 runs in a row",
  failures: [],
};

test("the page shows each part and names every failure", () => {
  const good = page([result]);
  expect(good).toContain("| conformance of nats | 2026-01-02 | passed | 61 s | 10 runs in a row |");
  expect(good).toContain("## Failures\n\nNone.");
  const bad = page([result, { ...result, name: "other", passed: false, failures: ["three are missing"] }]);
  expect(bad).toContain("| other | 2026-01-02 | **failed** |");
  expect(bad).toContain("- three are missing");
});

test("figures of tests tell the fewest and the most that passed", () => {
  const run = (passed: number) => ({ passed, failures: [], skips: [], retried: [] });
  expect(figuresOfTests([run(80)])).toBe("1 run: 80 tests passed in each, 0 failed, 0 skipped");
  expect(figuresOfTests([run(80), run(79)])).toBe(
    "2 runs in a row: 79 to 80 tests passed in each, 0 failed, 0 skipped",
  );
});

test("figures of torture tell what came of every message", () => {
  const summary: Summary = {
    options: {
      broker: "nats",
      seed: 9,
      kind: "commands",
      messages: 1_000,
      processes: 4,
      kills: 10,
      restarts: 3,
      downMs: { min: 1, max: 2 },
    },
    version: "2.15.1",
    seconds: 12.5,
    acknowledged: 1_000,
    refused: 1,
    unknown: 2,
    kills: 10,
    restarts: 3,
    groups: [
      {
        name: "worker",
        handled: 998,
        dead: 2,
        deadTwice: 0,
        missing: [],
        invented: [],
        deadForNothing: [],
        duplicates: { sentTwice: 1, afterKill: 2, afterRestart: 3, afterRetry: 0, unexplained: [] },
        failures: 5,
        shares: [998],
      },
    ],
    problems: [],
  };
  const figures = figuresOfTorture(summary);
  expect(figures).toContain("1,000 acknowledged; 10 workers killed, 3 restarts");
  expect(figures).toContain("998 handled, 2 dead letters, 0 missing, 0 invented, 6 handled again");
});
