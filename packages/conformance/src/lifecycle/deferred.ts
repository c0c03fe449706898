import type { App } from "@intermodal/core";
import { IntermodalError } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe, step } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { Outage } from "./outage.ts";
import { scene } from "./scene.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const doublingSteps = (app: App, runs: string[]) =>
  app.handle(step, ({ n }, ctx) => {
    runs.push(ctx.id);
    return 2 * n;
  });

const deferred = lifecycleCase({
  name: "deferred",
  guarantees: ["LC-4"],
  title: "a task submitted with `defer` while the bus is away waits in the store, and runs once when it is back",
  async run(world, t) {
    const runs: string[] = [];
    const observer = new Observer(t, await world.open());
    const client = await world.process();
    const worker = await world.worker((app) =>
      app.handle(probe, ({ n }, ctx) => {
        runs.push(ctx.id);
        return 2 * n;
      }),
    );
    const outages = [client, worker].map((process) => new Outage(process));
    for (const outage of outages) outage.begin("commandBus.send");
    const task = await client.app.submit(probe, { n: 1 }, { id: "task", defer: true });
    await t.never("it runs", () => runs.length > 0, { forMs: 4 * GRACE_MS });
    equal((await task.status()).status, "QUEUED", "its status meanwhile");
    for (const outage of outages) outage.end("commandBus.send");
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    await observer.untilAtRest();
    await observer.assertStays(3 * GRACE_MS);
    equal(runs, ["task"], "runs");
  },
});

const deferredSubTasks = lifecycleCase({
  name: "deferred-sub-tasks",
  guarantees: ["LC-4", "LC-12"],
  title: "sub-tasks submitted while the bus is away wait in the store, and run once when it is back",
  async run(world, t) {
    const runs: string[] = [];
    const observer = new Observer(t, await world.open());
    const worker = await world.worker((app) => {
      doublingSteps(app, runs);
      app.handle(probe, async ({ n }, ctx) => {
        outage.begin("commandBus.send");
        for (const key of ["a", "b"]) await ctx.submit(step, { n }, { key });
        return n;
      });
    });
    const outage = new Outage(worker);
    const client = await world.process();
    const task = await client.app.submit(probe, { n: 1 }, { id: "task" });
    const waits = async () => (await task.status()).phase === "awaiting-children";
    await t.until("the parent waits for its sub-tasks", waits);
    await t.never("one of them runs", () => runs.length > 0, { forMs: 4 * GRACE_MS });
    const open = (await client.app.tasks.list({ parentId: "task" })).items;
    equal([...new Set(open.map(({ status }) => status))], ["QUEUED"], "how the sub-tasks stand meanwhile");
    outage.end("commandBus.send");
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 1, "the parent's result");
    await observer.untilAtRest();
    await observer.assertStays(3 * GRACE_MS);
    equal([...runs].sort(), ["task/a", "task/b"], "runs of sub-tasks");
    equal((await task.status()).status, "COMPLETED", "how the parent ended");
  },
});

const blip = lifecycleCase({
  name: "deferred-call",
  guarantees: ["LC-4", "LC-14"],
  title: "the bus goes away and comes back during ctx.call: each step runs once, in one attempt of the parent",
  async run(world, t) {
    const runs: string[] = [];
    const observer = new Observer(t, await world.open());
    const worker = await world.worker((app) => {
      doublingSteps(app, runs);
      app.handle(probe, async ({ n }, ctx) => {
        runs.push(ctx.id);
        outage.begin("commandBus.send");
        const first = await ctx.call(step, { n }, { key: "a" });
        return ctx.call(step, { n: first }, { key: "b" });
      });
    });
    const outage = new Outage(worker);
    const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
    await t.until("the parent waits", async () => (await task.status()).phase === "waiting");
    await t.never("the step runs", () => runs.length > 1, { forMs: 3 * GRACE_MS });
    outage.end("commandBus.send");
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 4, "the result");
    await observer.untilAtRest();
    equal(runs, ["task", "task/a", "task/b"], "runs");
  },
});

const refused = lifecycleCase({
  name: "deferred-refused",
  guarantees: ["LC-4", "LC-7"],
  title: "a deferred task that the bus refuses for good when it is back ends as FAILED, and never runs",
  async run(world) {
    const runs: string[] = [];
    const serve = (app: App) => app.handle(probe, (_, ctx) => runs.push(ctx.id));
    const { worker, observer, record, until } = await scene(world, serve);
    let answer: "UNAVAILABLE" | "PAYLOAD_TOO_LARGE" = "UNAVAILABLE";
    worker.switched.around = async ({ name }, run) => {
      if (name === "commandBus.send") throw new IntermodalError(answer, "the bus does not take it");
      return run();
    };
    const { id } = await worker.app.submit(probe, { n: 1 }, { id: "task", defer: true });
    equal((await record(id)).status, "QUEUED", "its status while the bus is away");
    answer = "PAYLOAD_TOO_LARGE";
    const { error, attempts } = await until(id, "FAILED");
    equal({ code: error?.code, attempts }, { code: answer, attempts: 0 }, "how it ended");
    await observer.untilAtRest();
    await observer.assertStays(3 * GRACE_MS);
    await observer.assertEndedStream(await record(id));
    equal(runs, [], "runs");
  },
});

export const deferredCases: readonly ConformanceCase[] = [deferred, deferredSubTasks, blip, refused];
