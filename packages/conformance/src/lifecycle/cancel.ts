import { type App, RetryAfterError } from "@intermodal/core";
import { equal, fail } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { leaf, probe, step } from "./contracts.ts";
import { untilAborted } from "./crash-scenarios.ts";
import { once, scene } from "./scene.ts";
import { lifecycleCase } from "./world.ts";

const GUARANTEES = ["LC-11"];

export const cancelCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "cancel-queued",
    guarantees: GUARANTEES,
    title: "a queued task that is cancelled ends at once and never runs",
    async run(world, t) {
      const gate = Promise.withResolvers<void>();
      const ran: string[] = [];
      const serve = (app: App) =>
        app.handle(probe, async ({ n }, ctx) => {
          ran.push(ctx.id);
          await gate.promise;
          return n;
        });
      const { client, until, observer, record } = await scene(world, serve, { concurrency: 1 });
      await client.submit(probe, { n: 1 }, { id: "busy" });
      await t.until("the worker is busy", () => ran.length === 1);
      await client.submit(probe, { n: 2 }, { id: "queued" });
      equal((await client.tasks.cancel("queued")).status, "CANCELLED", "the answer");
      gate.resolve();
      await until("busy", "COMPLETED");
      await observer.untilAtRest();
      equal(ran, ["busy"], "what ran");
      equal((await record("queued")).attempts, 0, "attempts of the cancelled task");
      await observer.assertEndedStream(await record("queued"));
    },
  }),

  lifecycleCase({
    name: "cancel-delayed",
    guarantees: GUARANTEES,
    title: "a delayed task that is cancelled ends at once and never runs",
    async run(world) {
      const ran: string[] = [];
      const serve = (app: App) => app.handle(probe, ({ n }, ctx) => ran.push(ctx.id) * n);
      const { client, observer } = await scene(world, serve);
      const task = await client.submit(probe, { n: 1 }, { delayMs: 5_000 });
      equal((await task.cancel()).status, "CANCELLED", "the answer");
      await observer.untilAtRest();
      await observer.assertStays(6_000);
      equal(ran, [], "what ran");
    },
  }),

  lifecycleCase({
    name: "cancel-retrying",
    guarantees: GUARANTEES,
    title: "a task that is cancelled while it waits for its next attempt ends at once and never runs again",
    async run(world) {
      const ran: string[] = [];
      const serve = (app: App) =>
        app.handle(probe, (_, ctx) => {
          ran.push(ctx.id);
          throw new RetryAfterError(2_000);
        });
      const { client, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 1 });
      await until(id, "RETRYING");
      equal((await client.tasks.cancel(id)).status, "CANCELLED", "the answer");
      await observer.untilAtRest();
      await observer.assertStays(3_000);
      equal(ran, [id], "what ran");
    },
  }),

  lifecycleCase({
    name: "cancel-running",
    guarantees: GUARANTEES,
    title: "the signal of a running task aborts, wherever the canceller is, and the task ends CANCELLED",
    async run(world, t) {
      const told = new Map<string, unknown>();
      const serve = (app: App) =>
        app.handle(probe, async (_, ctx) => {
          told.set(ctx.id, undefined);
          return untilAborted(ctx.signal).catch((reason: { code?: unknown }) => {
            told.set(ctx.id, reason.code);
            throw reason;
          });
        });
      const { client, worker, until, observer } = await scene(world, serve);
      for (const id of ["here", "elsewhere"]) await client.submit(probe, { n: 1 }, { id });
      await t.until("both run", () => told.size === 2);
      equal((await worker.app.tasks.cancel("here")).cancelRequested, true, "the answer");
      await client.tasks.cancel("elsewhere");
      for (const id of ["here", "elsewhere"]) await until(id, "CANCELLED");
      equal([told.get("here"), told.get("elsewhere")], ["CANCELLED", "CANCELLED"], "the signals' reasons");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "cancel-call",
    guarantees: GUARANTEES,
    title: "cancelling a task that waits in ctx.call ends it and what it waits for",
    async run(world) {
      const serve = (app: App) => {
        app.handle(probe, ({ n }, ctx) => ctx.call(leaf, { n }, { key: "a" }));
      };
      // Another process has what it waits for.
      await world.worker((app) => app.handle(leaf, (_, ctx) => untilAborted(ctx.signal)));
      const { client, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 1 });
      await until(id, "waiting");
      await until(`${id}/a`, "RUNNING");
      await client.tasks.cancel(id);
      await observer.untilAtRest();
      equal((await observer.records()).map(({ status }) => status).sort(), ["CANCELLED", "CANCELLED"], "how both end");
    },
  }),

  lifecycleCase({
    name: "cancel-awaiting-children",
    guarantees: GUARANTEES,
    title: "cancelling a parent whose handler is through ends its open sub-tasks, and then itself",
    async run(world) {
      const serve = (app: App) => {
        app.handle(step, ({ n }, ctx) => (n === 0 ? n : untilAborted(ctx.signal)));
        app.handle(probe, async ({ n }, ctx) => {
          for (const key of ["0", "1", "2"]) await ctx.submit(step, { n: Number(key) }, { key });
          return n;
        });
      };
      const { client, until, observer, record } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 1 });
      await until(`${id}/0`, "COMPLETED");
      await until(id, "awaiting-children");
      await client.tasks.cancel(id);
      const ended = await until(id, "CANCELLED");
      await observer.untilAtRest();
      const children = Object.values(ended.children).map(({ status }) => status);
      equal(children.sort(), ["CANCELLED", "CANCELLED", "COMPLETED"], "its sub-tasks");
      for (const key of ["1", "2"]) equal((await record(`${id}/${key}`)).status, "CANCELLED", `sub-task ${key}`);
    },
  }),

  lifecycleCase({
    name: "cancel-grandchildren",
    guarantees: GUARANTEES,
    title: "cancelling reaches every descendant",
    async run(world) {
      const serve = (app: App) => {
        app.handle(step, async ({ n }, ctx) => {
          await ctx.submit(leaf, { n }, { key: "below" });
          return untilAborted(ctx.signal);
        });
        app.handle(probe, async ({ n }, ctx) => {
          await ctx.submit(step, { n }, { key: "below" });
          return untilAborted(ctx.signal);
        });
      };
      await world.worker((app) => app.handle(leaf, (_, ctx) => untilAborted(ctx.signal)));
      const { client, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 1 });
      await until(`${id}/below/below`, "RUNNING");
      await client.tasks.cancel(id);
      await observer.untilAtRest();
      const statuses = (await observer.records()).map(({ status }) => status);
      equal(statuses, ["CANCELLED", "CANCELLED", "CANCELLED"], "how all three end");
    },
  }),

  lifecycleCase({
    name: "cancel-late",
    guarantees: GUARANTEES,
    title: "cancelling a task that has ended changes nothing",
    async run(world) {
      const serve = (app: App) => {
        app.handle(probe, ({ n }) => n);
        app.handle(once, () => fail("on purpose"));
      };
      const { client, until, observer, record } = await scene(world, serve);
      await client.submit(probe, { n: 1 }, { id: "completed" });
      await client.submit(once, { n: 1 }, { id: "dead" });
      await until("completed", "COMPLETED");
      await until("dead", "DEAD_LETTER");
      await observer.untilAtRest();
      for (const id of ["completed", "dead"]) {
        const before = await record(id);
        const { status, version } = await client.tasks.cancel(id);
        equal([status, version], [before.status, before.version], "the answer");
        equal(await record(id), before, "the record");
      }
    },
  }),

  lifecycleCase({
    name: "cancel-ignored",
    guarantees: GUARANTEES,
    title: "a handler that ignores its signal and completes has completed",
    async run(world, t) {
      const gate = Promise.withResolvers<void>();
      let signal: AbortSignal | undefined;
      const serve = (app: App) =>
        app.handle(probe, async ({ n }, ctx) => {
          signal = ctx.signal;
          await gate.promise;
          return n;
        });
      const { client, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 7 });
      await t.until("it runs", () => signal !== undefined);
      await client.tasks.cancel(id);
      await t.until("it is told", () => signal?.aborted === true);
      gate.resolve();
      equal((await until(id, "COMPLETED", "CANCELLED")).status, "COMPLETED", "how it ends");
      equal(await client.task(probe, id).result(), 7, "its result");
      await observer.untilAtRest();
    },
  }),
];
