import { NonRetryableError } from "@intermodal/core";
import { once, probe } from "./contracts.ts";
import type { Scenario } from "./crash-scenarios.ts";

const plain: Scenario = {
  name: "plain",
  title: "a task",
  guarantees: ["LC-16"],
  serve(app, runs) {
    app.handle(probe, (params, ctx) => {
      runs.push(ctx.id);
      ctx.progress({ half: true });
      ctx.emit("note", { n: params.n });
      return 2 * params.n;
    });
  },
  expected: { status: "COMPLETED", result: 2, children: [] },
};

const retried: Scenario = {
  name: "retried",
  title: "a task that fails at first",
  guarantees: ["LC-6"],
  serve(app, runs) {
    app.handle(probe, (params, ctx) => {
      runs.push(ctx.id);
      if (ctx.attempt === 1) throw new Error("not yet");
      return 2 * params.n;
    });
  },
  expected: { status: "COMPLETED", result: 2, children: [] },
};

const exhausted: Scenario = {
  name: "exhausted",
  title: "a task with one attempt, which fails",
  guarantees: ["LC-6"],
  root: once,
  serve(app, runs) {
    app.handle(once, (_, ctx) => {
      runs.push(ctx.id);
      throw new Error("broken");
    });
  },
  expected: { status: "DEAD_LETTER", children: [] },
};

const refused: Scenario = {
  name: "refused",
  title: "a task that fails for good",
  guarantees: ["LC-7"],
  serve(app, runs) {
    app.handle(probe, (_, ctx) => {
      runs.push(ctx.id);
      throw new NonRetryableError("never");
    });
  },
  expected: { status: "FAILED", children: [] },
};

/** One task. */
export const SINGLE: readonly Scenario[] = [plain, retried, exhausted, refused];
