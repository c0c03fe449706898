import { type App, NonRetryableError } from "@intermodal/core";
import { leaf, probe, step } from "./contracts.ts";
import { type Scenario, untilAborted } from "./crash-scenarios.ts";

function double({ n }: { n: number }): number {
  return 2 * n;
}

const doublingSteps = (app: App, runs: string[]) => {
  app.handle(step, (params, ctx) => {
    runs.push(ctx.id);
    return double(params);
  });
};

const parent: Scenario = {
  name: "parent",
  title: "a task with two sub-tasks",
  guarantees: ["LC-12"],
  serve(app, runs) {
    doublingSteps(app, runs);
    app.handle(probe, async ({ n }, ctx) => {
      runs.push(ctx.id);
      await ctx.submit(step, { n }, { key: "a" });
      await ctx.submit(step, { n: n + 1 }, { key: "b" });
      return n;
    });
  },
  expected: { status: "COMPLETED", result: 1, children: ["a", "b"] },
};

const failingParent: Scenario = {
  name: "failing-parent",
  title: "a task that fails with an open sub-task",
  guarantees: ["LC-12"],
  serve(app, runs) {
    app.handle(step, (_, ctx) => {
      runs.push(ctx.id);
      return untilAborted(ctx.signal);
    });
    app.handle(probe, async ({ n }, ctx) => {
      runs.push(ctx.id);
      await ctx.submit(step, { n }, { key: "a" });
      throw new NonRetryableError("never");
    });
  },
  expected: { status: "FAILED", children: ["a"], childStatus: "CANCELLED" },
};

const workflow: Scenario = {
  name: "workflow",
  title: "a workflow of two steps",
  guarantees: ["LC-13", "LC-14"],
  serve(app, runs) {
    doublingSteps(app, runs);
    app.handle(probe, async ({ n }, ctx) => {
      runs.push(ctx.id);
      const first = await ctx.call(step, { n }, { key: "a" });
      const second = await ctx.call(step, { n: first }, { key: "b" });
      return second + 1;
    });
  },
  expected: { status: "COMPLETED", result: 5, children: ["a", "b"] },
};

const deep: Scenario = {
  name: "deep",
  title: "a workflow that calls a workflow",
  guarantees: ["LC-13", "LC-14"],
  serve(app, runs) {
    app.handle(leaf, (params, ctx) => {
      runs.push(ctx.id);
      return double(params);
    });
    app.handle(step, async (params, ctx) => {
      runs.push(ctx.id);
      return 2 * (await ctx.call(leaf, params));
    });
    app.handle(probe, async (params, ctx) => {
      runs.push(ctx.id);
      return 2 * (await ctx.call(step, params));
    });
  },
  expected: { status: "COMPLETED", result: 8, children: ["step"], further: 1 },
};

const cancelled: Scenario = {
  name: "cancelled",
  title: "the cancelling of a task and its sub-task",
  guarantees: ["LC-11"],
  serve(app, runs) {
    app.handle(step, (_, ctx) => {
      runs.push(ctx.id);
      return untilAborted(ctx.signal);
    });
    app.handle(probe, async ({ n }, ctx) => {
      runs.push(ctx.id);
      await ctx.submit(step, { n }, { key: "a" });
      return untilAborted(ctx.signal);
    });
  },
  async meanwhile(app, id, runs) {
    if (!runs.includes(`${id}/a`)) return false;
    await app.tasks.cancel(id);
    return true;
  },
  expected: { status: "CANCELLED", children: ["a"] },
};

/** A task with sub-tasks. */
export const FAMILIES: readonly Scenario[] = [parent, failingParent, workflow, deep, cancelled];
