import { type App, defineTask, NonRetryableError, type TaskContext, TaskFailedError } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { any, PATIENT, step } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const LARGEST = 10;

/** As its sender knows it. */
const checked = defineTask("checked", { input: any<{ n: number }>(), output: any<number>(), retry: PATIENT });

/** As its worker knows it: stricter about what goes in and what comes out. */
const strict = defineTask("checked", {
  input: any<{ n: number }>(({ n }) => (n > LARGEST ? "n is too large" : undefined)),
  output: any<number>((result) => (result > LARGEST ? "the result is too large" : undefined)),
  retry: PATIENT,
});

interface Failure {
  readonly name: string;
  readonly title: string;
  readonly n?: number;
  /** Of the stored error. */
  readonly code: string | undefined;
  readonly runs: number;
  handle(params: { readonly n: number }, ctx: TaskContext): number | Promise<number>;
}

const FAILURES: readonly Failure[] = [
  {
    name: "non-retryable",
    title: "a handler that throws NonRetryableError",
    code: undefined,
    runs: 1,
    handle() {
      throw new NonRetryableError("never");
    },
  },
  {
    name: "input",
    title: "a message whose input its worker's schema refuses",
    n: LARGEST + 1,
    code: "VALIDATION_FAILED",
    runs: 0,
    handle: ({ n }) => n,
  },
  {
    name: "result",
    title: "a result that its schema refuses",
    code: "VALIDATION_FAILED",
    runs: 1,
    handle: () => LARGEST + 1,
  },
  {
    name: "unserialisable-result",
    title: "a result that JSON cannot carry",
    code: "NOT_SERIALIZABLE",
    runs: 1,
    handle: () => 1n as unknown as number,
  },
  {
    name: "sub-task-input",
    title: "a sub-task whose input JSON cannot carry",
    code: "NOT_SERIALIZABLE",
    runs: 1,
    handle: async (_, ctx) => ctx.call(step, { n: 1n as unknown as number }),
  },
  {
    name: "key-twice",
    title: "a key that is used twice",
    code: "DUPLICATE_KEY",
    runs: 1,
    async handle({ n }, ctx) {
      await ctx.submit(step, { n }, { key: "same" });
      await ctx.submit(step, { n }, { key: "same" });
      return n;
    },
  },
];

function invalidCase({ name, title, n = 1, code, runs: expectedRuns, handle }: Failure): ConformanceCase {
  return lifecycleCase({
    name: `invalid-${name}`,
    guarantees: name === "key-twice" ? ["LC-7", "LC-13"] : ["LC-7"],
    title: `${title} ends the task as FAILED at once`,
    async run(world, t) {
      let runs = 0;
      const observer = new Observer(t, await world.open());
      await world.worker((app: App) => {
        app.handle(step, (params) => params.n);
        app.handle(strict, (params, ctx) => {
          runs++;
          return handle(params, ctx);
        });
      });
      const task = await (await world.process()).app.submit(checked, { n }, { id: "task" });
      const error: unknown = await task.result({ timeoutMs: RECOVERY_MS }).catch((reason: unknown) => reason);
      assert(error instanceof TaskFailedError, `result() rejects with a TaskFailedError, not ${String(error)}`);
      await observer.untilAtRest();
      await observer.assertStays(2 * GRACE_MS);
      const record = await observer.record("task");
      equal(
        { status: record?.status, retries: record?.retryCount, code: record?.error?.code, runs },
        { status: "FAILED", retries: 0, code, runs: expectedRuns },
        "how it ended",
      );
      equal((await observer.deadLetters()).length, 1, "dead letters");
    },
  });
}

export const invalidCases: readonly ConformanceCase[] = FAILURES.map(invalidCase);
