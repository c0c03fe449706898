import { type App, NonRetryableError, type TaskStatus } from "@intermodal/core";
import { probe, step } from "./contracts.ts";

/** Something that runs, to be crashed at every point of it. */
export interface Scenario {
  readonly name: string;
  /** Notes in `runs` whatever runs. */
  serve(app: App, runs: string[]): void;
  /** What a client does beside submitting, such as cancelling; called until it says that it is done. */
  meanwhile?(app: App, id: string, runs: readonly string[]): Promise<boolean>;
  readonly expected: { readonly status: TaskStatus; readonly result?: number; readonly children: readonly string[] };
}

function double({ n }: { n: number }): number {
  return 2 * n;
}

const doublingSteps = (app: App, runs: string[]) => {
  app.handle(step, (params, ctx) => {
    runs.push(ctx.id);
    return double(params);
  });
};

export const plain: Scenario = {
  name: "plain",
  serve(app, runs) {
    app.handle(probe, (params, ctx) => {
      runs.push(ctx.id);
      ctx.progress({ half: true });
      ctx.emit("note", { n: params.n });
      return double(params);
    });
  },
  expected: { status: "COMPLETED", result: 2, children: [] },
};

export const retried: Scenario = {
  name: "retried",
  serve(app, runs) {
    app.handle(probe, (params, ctx) => {
      runs.push(ctx.id);
      if (ctx.attempt === 1) throw new Error("not yet");
      return double(params);
    });
  },
  expected: { status: "COMPLETED", result: 2, children: [] },
};

export const parent: Scenario = {
  name: "parent",
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

export const workflow: Scenario = {
  name: "workflow",
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

export const refused: Scenario = {
  name: "refused",
  serve(app, runs) {
    app.handle(probe, (_, ctx) => {
      runs.push(ctx.id);
      throw new NonRetryableError("never");
    });
  },
  expected: { status: "FAILED", children: [] },
};

export const cancelled: Scenario = {
  name: "cancelled",
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

/** A handler that goes on until it is told to stop. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
