import { TaskFailedError } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { assertNotEarly } from "../delivery/timing.ts";
import { probe, step } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

const DELAY_MS = 2_000;

const delayed = lifecycleCase({
  name: "delayed",
  guarantees: ["LC-6"],
  title: "delayMs of a task and of a sub-task: neither starts early",
  async run(world, t) {
    const startedAt: number[] = [];
    const submittedAt: number[] = [];
    const observer = new Observer(t, await world.open());
    await world.worker((app) => {
      app.handle(step, ({ n }) => {
        startedAt.push(t.clock.now());
        return n;
      });
      app.handle(probe, ({ n }, ctx) => {
        startedAt.push(t.clock.now());
        submittedAt.push(t.clock.now());
        return ctx.call(step, { n }, { delayMs: DELAY_MS });
      });
    });
    const { app } = await world.process();
    submittedAt.push(t.clock.now());
    const task = await app.submit(probe, { n: 1 }, { id: "task", delayMs: DELAY_MS });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 1, "its result");
    await observer.untilAtRest();
    equal(startedAt.length, 2, "starts");
    startedAt.forEach((at, index) => {
      assertNotEarly(`start ${index + 1}`, at - (submittedAt[index] as number), DELAY_MS);
    });
  },
});

const expired = lifecycleCase({
  name: "expired",
  guarantees: ["LC-1", "LC-7"],
  title: "a task that was not started within expiresMs ends as FAILED with the code EXPIRED, and never runs",
  async run(world, t) {
    let runs = 0;
    const observer = new Observer(t, await world.open());
    const { app } = await world.process();
    const task = await app.submit(probe, { n: 1 }, { id: "task", expiresMs: 500 });
    await t.sleep(1_000);
    await world.worker((worker) =>
      worker.handle(probe, ({ n }) => {
        runs++;
        return n;
      }),
    );
    const error: unknown = await task.result({ timeoutMs: RECOVERY_MS }).catch((reason: unknown) => reason);
    assert(error instanceof TaskFailedError, `result() rejects with a TaskFailedError, not ${String(error)}`);
    equal([error.status, error.error?.code, error.attempts], ["FAILED", "EXPIRED", 0], "status, code and attempts");
    await observer.untilAtRest();
    equal(runs, 0, "runs");
  },
});

export const delaysCases: readonly ConformanceCase[] = [delayed, expired];
