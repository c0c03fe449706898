import { NonRetryableError } from "@intermodal/core";
import { ACK } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { probe } from "./contracts.ts";
import { Gate } from "./gate.ts";
import { Observer } from "./observer.ts";
import { type FullAdapter, LEASE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

/** Takes the only message out of the queue. @returns what puts a copy of it there, which the broker can't recognise as one. */
async function takeOut(t: CaseContext, { commandBus }: FullAdapter): Promise<() => Promise<void>> {
  let body: Uint8Array | undefined;
  const taking = await commandBus.work(probe.queue, { concurrency: 1 }, async (delivery) => {
    body = delivery.body;
    return ACK;
  });
  await t.until("the message is in the queue", () => body !== undefined);
  await taking.close();
  let copies = 0;
  const { queue, name: type } = probe;
  return () => commandBus.send([{ queue, type, id: `copy-${++copies}`, body: body as Uint8Array }]);
}

const finished = lifecycleCase({
  name: "redelivered-finished",
  guarantees: ["LC-5"],
  title: "the message of a finished task comes again: it does not run again",
  async run(world, t) {
    const runs: string[] = [];
    const adapter = await world.open();
    const observer = new Observer(t, adapter);
    const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
    const redeliver = await takeOut(t, adapter);
    await redeliver();
    await world.worker((app) =>
      app.handle(probe, ({ n }, ctx) => {
        runs.push(ctx.id);
        return 2 * n;
      }),
    );
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    await redeliver();
    await redeliver();
    await observer.untilAtRest();
    equal(runs, ["task"], "runs");
    equal((await observer.record("task"))?.attempts, 1, "attempts");
    equal((await observer.deadLetters()).length, 0, "dead letters");
  },
});

const running = lifecycleCase({
  name: "redelivered-running",
  guarantees: ["LC-5"],
  title: "the message of a running task comes again, here and elsewhere: it runs once, and ends as ever",
  async run(world, t) {
    const runs: string[] = [];
    const held = new Gate();
    const adapter = await world.open();
    const observer = new Observer(t, adapter);
    const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
    const redeliver = await takeOut(t, adapter);
    for (let copies = 0; copies < 4; copies++) await redeliver();
    for (let workers = 0; workers < 2; workers++) {
      await world.worker((app) =>
        app.handle(probe, async ({ n }, ctx) => {
          runs.push(ctx.id);
          await held.pass();
          return 2 * n;
        }),
      );
    }
    await t.until("it runs", () => runs.length > 0);
    await redeliver();
    await t.never("it runs twice", () => runs.length > 1, { forMs: 4 * LEASE_MS });
    held.open();
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    await observer.untilAtRest();
    equal(runs, ["task"], "runs");
    equal((await observer.record("task"))?.attempts, 1, "attempts");
  },
});

const superseded = lifecycleCase({
  name: "redelivered-older-series",
  guarantees: ["LC-5", "LC-15"],
  title: "a message of before a replay comes while the task runs again, and after: it runs nothing and spoils nothing",
  async run(world, t) {
    let runs = 0;
    const held = new Gate();
    const adapter = await world.open();
    const observer = new Observer(t, adapter);
    const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
    const redeliver = await takeOut(t, adapter);
    await redeliver();
    await world.worker((app) =>
      app.handle(probe, async ({ n }) => {
        if (++runs === 1) throw new NonRetryableError("not this time");
        await held.pass();
        return 2 * n;
      }),
    );
    await observer.untilAtRest();
    await task.replay();
    await t.until("it runs again", () => runs === 2);
    await redeliver();
    await t.never("it runs a third time", () => runs > 2, { forMs: 3 * LEASE_MS });
    held.open();
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    await redeliver();
    await observer.untilAtRest();
    equal(runs, 2, "runs");
    const record = await observer.record("task");
    equal({ status: record?.status, series: record?.series }, { status: "COMPLETED", series: 2 }, "how it ended");
  },
});

export const redeliveredCases: readonly ConformanceCase[] = [finished, running, superseded];
