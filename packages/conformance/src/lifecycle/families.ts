import { type App, NonRetryableError } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { leaf, probe, step } from "./contracts.ts";
import { untilAborted } from "./crash-scenarios.ts";
import { once, scene } from "./scene.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

const GUARANTEES = ["LC-12"];

/** `step` completes, except where it is to fail: with a negative number. */
const steps = (app: App) =>
  app.handle(step, ({ n }) => {
    if (n < 0) throw new NonRetryableError(`${n} is negative`);
    return 2 * n;
  });

export const familyCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "family-completes",
    guarantees: GUARANTEES,
    title: "a parent ends as COMPLETED with its own result when the last of its sub-tasks has completed",
    async run(world) {
      const gate = Promise.withResolvers<void>();
      const serve = (app: App) => {
        app.handle(step, async ({ n }) => {
          if (n === 2) await gate.promise;
          return n;
        });
        app.handle(probe, async ({ n }, ctx) => {
          await ctx.submit(step, { n: 1 }, { key: "a" });
          await ctx.submit(step, { n: 2 }, { key: "b" });
          return n;
        });
      };
      const { client, until, observer, record } = await scene(world, serve);
      const task = await client.submit(probe, { n: 7 });
      await until(`${task.id}/a`, "COMPLETED");
      await until(task.id, "awaiting-children");
      equal((await task.status()).children, { total: 2, open: 1, completed: 1, failed: 0 }, "the summary meanwhile");
      gate.resolve();
      equal((await until(task.id, "COMPLETED")).result, 7, "its result");
      equal(await task.result(), 7, "its result, as the client gets it");
      equal((await task.status()).children, { total: 2, open: 0, completed: 2, failed: 0 }, "the summary at the end");
      const last = await record(`${task.id}/b`);
      assert(((await record(task.id)).finishedAt ?? 0) >= (last.finishedAt ?? 0), "it ended before its sub-task");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "family-with-errors",
    guarantees: GUARANTEES,
    title: "a parent of a failed sub-task ends as COMPLETED_WITH_ERRORS, and the list says which failed",
    async run(world) {
      const serve = (app: App) => {
        steps(app);
        app.handle(probe, async ({ n }, ctx) => {
          for (const m of [1, -2, 3]) await ctx.submit(step, { n: m }, { key: `of ${m}` });
          return n;
        });
      };
      const { client, until, observer } = await scene(world, serve);
      const task = await client.submit(probe, { n: 7 });
      await until(task.id, "COMPLETED_WITH_ERRORS");
      const { children, outcome } = await task.status();
      equal(children, { total: 3, open: 0, completed: 2, failed: 1 }, "the summary");
      equal(outcome, "failure", "the outcome in one word");
      equal(await task.result(), 7, "its result");
      const { items } = await client.tasks.list({ parentId: task.id, status: ["FAILED", "DEAD_LETTER", "CANCELLED"] });
      const named = items.map(({ id, parameters, error }) => [id, parameters, error?.message]);
      equal(named, [[`${task.id}/of -2`, { n: -2 }, "-2 is negative"]], "the failed sub-tasks");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "family-told-twice",
    guarantees: GUARANTEES,
    title: "the end of a sub-task that is told again changes nothing, before and after the parent's end",
    async run(world, t) {
      const gate = Promise.withResolvers<void>();
      const serve = (app: App) => {
        app.handle(step, async ({ n }) => {
          if (n === 2) await gate.promise;
          return n;
        });
        app.handle(probe, async ({ n }, ctx) => {
          await ctx.submit(step, { n: 1 }, { key: "a" });
          await ctx.submit(step, { n: 2 }, { key: "b" });
          return n;
        });
      };
      const { client, until, observer, record } = await scene(world, serve);
      const { taskStateStore } = await world.open();
      const { id } = await client.submit(probe, { n: 7 });
      const tellAgain = async () => {
        const end = { parentId: id, key: "a", childId: `${id}/a`, series: 1 } as const;
        // The sweep looks after a parent that waits, once per grace, and leaves a new version of it.
        const content = async () => ({ ...(await record(id)), version: 0, updatedAt: 0 });
        const before = await content();
        await taskStateStore.childEnded([
          { ...end, status: "COMPLETED" },
          { ...end, status: "FAILED" },
        ]);
        equal(await content(), before, "the parent");
      };
      await until(id, "awaiting-children");
      // It is told a moment after the sub-task has ended.
      const isTold = async () => (await record(id)).children.a?.status === "COMPLETED";
      await t.until("the parent knows of the end", isTold, { withinMs: RECOVERY_MS });
      await tellAgain();
      gate.resolve();
      await until(id, "COMPLETED");
      await observer.untilAtRest();
      await tellAgain();
      await observer.assertEndedStream(await record(id));
    },
  }),

  ...(
    [
      ["family-parent-fails", "a failing parent", "FAILED"],
      ["family-parent-dies", "a parent whose attempts are used up", "DEAD_LETTER"],
    ] as const
  ).map(([name, who, status]) =>
    lifecycleCase({
      name,
      guarantees: GUARANTEES,
      title: `${who} cancels its open sub-tasks and is ${status} only when the last has ended`,
      async run(world, t) {
        const gate = Promise.withResolvers<void>();
        const stubborn: AbortSignal[] = [];
        // Another process has the sub-tasks.
        const serveLeaves = (app: App) =>
          app.handle(leaf, async ({ n }, ctx) => {
            if (n !== 2) return untilAborted(ctx.signal);
            stubborn.push(ctx.signal);
            await gate.promise;
            return n;
          });
        const serve = (app: App) =>
          app.handle(once, async (_, ctx) => {
            for (const key of ["1", "2"]) await ctx.submit(leaf, { n: Number(key) }, { key });
            while (stubborn.length === 0) await t.sleep(50);
            throw status === "FAILED" ? new NonRetryableError("on purpose") : new Error("on purpose");
          });
        await world.worker(serveLeaves);
        const { client, until, observer } = await scene(world, serve);
        const { id } = await client.submit(once, { n: 1 });
        await until(`${id}/1`, "CANCELLED");
        await t.until("the other one is told to stop", () => stubborn[0]?.aborted === true);
        const parent = async () => (await client.tasks.get(id))?.phase;
        await t.never("the parent ends before its last sub-task", async () => (await parent()) !== "closing", {
          forMs: 1_500,
        });
        gate.resolve();
        const ended = await until(id, status);
        equal(ended.error?.message, "on purpose", "its error");
        equal(ended.children["2"]?.status, "COMPLETED", "the sub-task that did not listen");
        await observer.untilAtRest();
        await observer.assertEndedStream(ended);
      },
    }),
  ),
];
