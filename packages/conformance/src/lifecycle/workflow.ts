import { type App, defineCommand, defineTask, NonRetryableError, type TaskContext } from "@intermodal/core";
import { ACK, type Delivery } from "@intermodal/core/ports";
import { equal, rejects } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { any, happened, PATIENT, probe, step } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { lifecycleCase, RECOVERY_MS, type World } from "./world.ts";

/** A worker whose steps double, and whose parent does what it is told. */
async function doubling(
  world: World,
  t: CaseContext,
  handle: (params: { readonly n: number }, ctx: TaskContext) => number | Promise<number>,
) {
  const steps: string[] = [];
  const observer = new Observer(t, await world.open());
  await world.worker((app: App) => {
    app.handle(step, ({ n }, ctx) => {
      steps.push(ctx.id);
      return 2 * n;
    });
    app.handle(probe, handle);
  });
  const { app } = await world.process();
  return { app, steps, observer };
}

const resumed = lifecycleCase({
  name: "workflow-resumed",
  guarantees: ["LC-13"],
  title: "a workflow that is retried finds its finished steps and their results; the code between runs again",
  async run(world, t) {
    let between = 0;
    const { app, steps, observer } = await doubling(world, t, async ({ n }, ctx) => {
      const first = await ctx.call(step, { n }, { key: "a" });
      between++;
      if (between === 1) throw new Error("after the first step");
      const second = await ctx.call(step, { n: first }, { key: "b" });
      if (between === 2) throw new Error("after the second step");
      return first + second;
    });
    const task = await app.submit(probe, { n: 1 }, { id: "task" });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 6, "its result");
    await observer.untilAtRest();
    equal(steps, ["task/a", "task/b"], "runs of steps");
    equal(between, 3, "runs of the code between");
  },
});

const changedInput = lifecycleCase({
  name: "workflow-changed-input",
  guarantees: ["LC-13"],
  title: "a step that is called again with another input: the recorded one stands",
  async run(world, t) {
    let attempts = 0;
    const { app, steps, observer } = await doubling(world, t, async (_, ctx) => {
      attempts++;
      const result = await ctx.call(step, { n: attempts }, { key: "a" });
      if (attempts === 1) throw new Error("once more");
      return result;
    });
    const task = await app.submit(probe, { n: 1 }, { id: "task" });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "the result of the recorded step");
    await observer.untilAtRest();
    equal([steps, attempts], [["task/a"], 2], "runs of the step and its parent");
    equal((await observer.record("task/a"))?.input, { n: 1 }, "its recorded input");
  },
});

const newEpoch = lifecycleCase({
  name: "workflow-new-epoch",
  guarantees: ["LC-13", "LC-15"],
  title: "replayed with another input a workflow runs its steps anew, apart from those of before",
  async run(world, t) {
    const { app, steps, observer } = await doubling(world, t, async ({ n }, ctx) => {
      const result = await ctx.call(step, { n }, { key: "a" });
      if (n === 1) throw new NonRetryableError("not with this input");
      return result;
    });
    const task = await app.submit(probe, { n: 1 }, { id: "task" });
    await observer.untilAtRest();
    await task.replay({ input: { n: 10 } });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 20, "its result");
    await observer.untilAtRest();
    equal([steps.length, new Set(steps).size], [2, 2], "steps, and different ones");
    const inputs = (await observer.records()).filter(({ id }) => steps.includes(id)).map(({ input }) => input);
    equal(inputs.map((input) => (input as { n: number }).n).sort(), [1, 10], "inputs of the steps");
  },
});

const keyTwice = lifecycleCase({
  name: "workflow-key-twice",
  guarantees: ["LC-13"],
  title: "the same key twice in one run is DUPLICATE_KEY; a handler that catches it goes on",
  async run(world, t) {
    const { app, steps, observer } = await doubling(world, t, async ({ n }, ctx) => {
      const first = await ctx.call(step, { n }, { key: "a" });
      await rejects("the key again", "DUPLICATE_KEY", ctx.submit(step, { n }, { key: "a" }));
      await ctx.call(step, { n });
      await rejects("the default key again", "DUPLICATE_KEY", ctx.call(step, { n }));
      return first;
    });
    const task = await app.submit(probe, { n: 1 }, { id: "task" });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    await observer.untilAtRest();
    equal(steps, ["task/a", `task/${step.name}`], "runs of steps");
  },
});

const KEYS = ["a/b", "a%2Fb", "a", "__proto__", "constructor", "🙈", "A", "2:a", "x/a"];

const hostileKeys = lifecycleCase({
  name: "workflow-hostile-keys",
  guarantees: ["LC-13"],
  title: "steps stay apart whatever their keys and their parents' ids are",
  async run(world, t) {
    const { app, steps, observer } = await doubling(world, t, async ({ n }, ctx) => {
      const calls = KEYS.map((key, at) => ctx.call(step, { n: n + at }, { key }));
      equal(
        await Promise.all(calls),
        KEYS.map((_, at) => 2 * (n + at)),
        "results by key",
      );
      return KEYS.length;
    });
    const ids = ["w", "w/x", "w%2Fx", "🙈"];
    const tasks = await Promise.all(ids.map((id, at) => app.submit(probe, { n: 100 * at }, { id })));
    for (const task of tasks) equal(await task.result({ timeoutMs: RECOVERY_MS }), KEYS.length, `result of ${task.id}`);
    await observer.untilAtRest();
    equal([steps.length, new Set(steps).size], [ids.length * KEYS.length, ids.length * KEYS.length], "steps");
    for (const id of ids) {
      equal(Object.keys((await observer.record(id))?.children ?? {}).sort(), [...KEYS].sort(), `keys of ${id}`);
    }
  },
});

const elsewhere = defineCommand("elsewhere", { queue: "elsewhere", input: any<{ n: number }>() });
const sender = defineTask("sender", { input: any<{ n: number }>(), retry: PATIENT });

const sameIds = lifecycleCase({
  name: "workflow-message-ids",
  guarantees: ["LC-13"],
  title: "what a handler sends and publishes has the same ids in each attempt, and different ones each time",
  async run(world, t) {
    const adapter = await world.open();
    const observer = new Observer(t, adapter);
    const sent: string[] = [];
    const published: string[] = [];
    const note = (into: string[]) => async (delivery: Delivery) => {
      into.push(delivery.id);
      return ACK;
    };
    await adapter.commandBus.work("elsewhere", { concurrency: 1 }, note(sent));
    const options = { types: [happened.name], from: "new", concurrency: 1 } as const;
    await adapter.eventBus.listen({ service: "observer", listener: "happened" }, options, note(published));
    let attempts = 0;
    await world.worker((app) =>
      app.handle(sender, async ({ n }, ctx) => {
        attempts++;
        for (let times = 0; times < 2; times++) {
          await ctx.send(elsewhere, { n });
          await ctx.publish(happened, { n });
        }
        if (attempts < 3) throw new Error("once more");
      }),
    );
    await (await world.process()).app.submit(sender, { n: 1 }, { id: "task" });
    await observer.untilAtRest();
    await t.until("all has come", () => sent.length >= 2 && published.length >= 2);
    await t.sleep(500);
    equal(attempts, 3, "attempts");
    equal([new Set(sent).size, new Set(published).size], [2, 2], "different ids of two commands and two events");
  },
});

export const workflowCases: readonly ConformanceCase[] = [
  resumed,
  changedInput,
  newEpoch,
  keyTwice,
  hostileKeys,
  sameIds,
];
