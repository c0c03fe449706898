import { type App, defineTask } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { any, PATIENT, probe, step } from "./contracts.ts";
import { Gate } from "./gate.ts";
import { Observer } from "./observer.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

const middle = defineTask("middle", { input: any<{ n: number }>(), output: any<number>(), retry: PATIENT });

const ONE = { concurrency: 1 };

const doublingSteps = (app: App) => app.handle(step, ({ n }) => 2 * n);

interface Shape {
  readonly name: string;
  readonly title: string;
  readonly result: number;
  serve(app: App): void;
}

/** What passes through a worker that does one thing at a time. */
const SHAPES: readonly Shape[] = [
  {
    name: "three-deep",
    title: "a workflow three levels deep",
    result: 4,
    serve(app) {
      app.handle(middle, async ({ n }, ctx) => (await ctx.call(step, { n })) + 1);
      app.handle(probe, async ({ n }, ctx) => (await ctx.call(middle, { n })) + 1);
    },
  },
  {
    name: "both-at-once",
    title: "a handler that awaits two calls at once",
    result: 6,
    serve(app) {
      app.handle(probe, async ({ n }, ctx) => {
        const calls = [ctx.call(step, { n }, { key: "a" }), ctx.call(step, { n: n + 1 }, { key: "b" })];
        return (await Promise.all(calls)).reduce((sum, result) => sum + result);
      });
    },
  },
  {
    name: "handle-result",
    title: "a handler that submits a sub-task and awaits its handle",
    result: 2,
    serve(app) {
      app.handle(probe, async ({ n }, ctx) => (await ctx.submit(step, { n })).result());
    },
  },
];

function shapeCase({ name, title, result, serve }: Shape): ConformanceCase {
  return lifecycleCase({
    name: `custody-${name}`,
    guarantees: ["LC-14"],
    title: `${title} passes through concurrency 1, in one attempt`,
    async run(world, t) {
      const observer = new Observer(t, await world.open());
      await world.worker((app) => {
        doublingSteps(app);
        serve(app);
      }, ONE);
      const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
      equal(await task.result({ timeoutMs: RECOVERY_MS }), result, "its result");
      await observer.untilAtRest();
      const records = await observer.records();
      equal([...new Set(records.map(({ status }) => status))], ["COMPLETED"], "how all ended");
      equal(new Set(records.map(({ retryCount }) => retryCount)), new Set([0]), "retries");
    },
  });
}

const manyParents = lifecycleCase({
  name: "custody-many-parents",
  guarantees: ["LC-14"],
  title: "thousands of waiting parents starve none of their sub-tasks",
  async run(world, t) {
    const count = t.size(10_000, 200);
    let started = 0;
    let most = 0;
    let ended = 0;
    await world.worker(
      (app) => {
        doublingSteps(app);
        app.handle(probe, async ({ n }, ctx) => {
          most = Math.max(most, ++started - ended);
          const result = await ctx.call(step, { n });
          ended++;
          return result;
        });
      },
      { concurrency: 5, taskLeaseMs: 60_000, sweep: { graceMs: 120_000 } },
    );
    const { app } = await world.process();
    const tasks = await Promise.all(Array.from({ length: count }, (_, n) => app.submit(probe, { n })));
    await t.until("all parents have ended", () => ended >= count, { withinMs: 120_000 });
    const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: RECOVERY_MS })));
    equal(results.filter((result, n) => result !== 2 * n).length, 0, "wrong results");
    equal([started, ended], [count, count], "parents that started and ended");
    assert(most > 5, `at most ${most} parents waited at once, so the case shows nothing`);
  },
});

/** Longer than the slow look-up of what a lost hint did not tell. */
const NEW_WORK_MS = 1_500;

const resumesFirst = lifecycleCase({
  name: "custody-resumes-first",
  guarantees: ["LC-14"],
  title: "a parent whose sub-task has ended goes on before new work is begun",
  async run(world, t) {
    const order: string[] = [];
    const held = new Gate();
    const observer = new Observer(t, await world.open());
    await world.worker((app) => {
      app.handle(step, async ({ n }) => {
        await held.pass();
        order.push("sub-task ends");
        return n;
      });
      app.handle(probe, async ({ n }, ctx) => {
        const result = await ctx.call(step, { n });
        order.push("parent goes on");
        return result;
      });
      app.handle(middle, async ({ n }) => {
        order.push("new work");
        await t.sleep(NEW_WORK_MS);
        return n;
      });
    }, ONE);
    const { app } = await world.process();
    await app.submit(probe, { n: 1 });
    await t.until("its sub-task runs", () => held.came > 0);
    for (let n = 1; n <= 6; n++) await app.submit(middle, { n });
    held.open();
    await observer.untilAtRest();
    equal(order[0], "sub-task ends", "what came first");
    // One may begin before the parent hears of it; the rest have to wait.
    const before = order.indexOf("parent goes on") - 1;
    assert(before <= 1, `${before} of the new tasks began before the parent went on`);
  },
});

const letsGo = lifecycleCase({
  name: "custody-holds-nothing",
  guarantees: ["LC-14"],
  title: "while a task waits its phase is `waiting` and the bus holds no delivery of it",
  async run(world, t) {
    const adapter = await world.open();
    const observer = new Observer(t, adapter);
    await world.worker((app) => {
      doublingSteps(app);
      app.handle(probe, ({ n }, ctx) => ctx.call(step, { n }, { delayMs: 6_000 }));
    }, ONE);
    const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
    const waits = async () => (await observer.record("task"))?.phase === "waiting";
    await t.until("it waits", waits);
    const letGo = async () => {
      const { ready, inFlight } = await adapter.commandBus.inspect(probe.queue);
      return ready + (inFlight ?? 0) === 0;
    };
    await t.until("the bus holds nothing of it", letGo, { withinMs: 3_000 });
    assert(await waits(), "it waits still");
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    equal((await task.status()).attempts, 1, "its attempts");
  },
});

export const custodyCases: readonly ConformanceCase[] = [...SHAPES.map(shapeCase), manyParents, resumesFirst, letsGo];
