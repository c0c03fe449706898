import { type App, NonRetryableError } from "@intermodal/core";
import { assert, equal, fail, rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe, step } from "./contracts.ts";
import { once, scene } from "./scene.ts";
import { lifecycleCase } from "./world.ts";

const GUARANTEES = ["LC-15"];

/** A workflow of three steps of which the second fails until it is mended. */
class Broken {
  mended = false;
  /** What has run, in order. */
  readonly ran: string[] = [];

  readonly serve = (app: App): void => {
    app.handle(step, ({ n }, ctx) => {
      this.ran.push(ctx.id);
      if (n === 2 && !this.mended) throw new NonRetryableError("broken");
      return 10 * n;
    });
    app.handle(probe, async ({ n }, ctx) => {
      this.ran.push(ctx.id);
      let sum = n;
      for (const key of ["1", "2", "3"]) sum += await ctx.call(step, { n: Number(key) }, { key });
      return sum;
    });
  };

  /** The same steps as sub-tasks that nobody waits for. */
  readonly serveAside = (app: App): void => {
    this.serve(app);
    app.handle(once, async ({ n }, ctx) => {
      this.ran.push(ctx.id);
      for (const key of ["1", "2", "3"]) await ctx.submit(step, { n: Number(key) }, { key });
      return n;
    });
  };
}

export const replayCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "replay-dead-letter",
    guarantees: GUARANTEES,
    title:
      "a dead-lettered task runs again with fresh attempts; its copy on the bus is dropped, and is not sent itself",
    async run(world) {
      let mended = false;
      const serve = (app: App) => app.handle(once, ({ n }) => (mended ? 2 * n : fail("broken")));
      const { client, until, observer, record } = await scene(world, serve);
      const task = await client.submit(once, { n: 4 });
      await until(task.id, "DEAD_LETTER");
      await observer.untilAtRest();
      const dead = (await client.deadLetters.list(once.queue)).items;
      equal(
        dead.map(({ taskId, attempts }) => [taskId, attempts]),
        [[task.id, 1]],
        "the dead letters",
      );
      const ids = dead.map(({ deadLetterId }) => deadLetterId);
      await rejects("the bus's replay of a task", "NOT_REPLAYABLE", client.deadLetters.replay(once.queue, ids));
      equal((await client.deadLetters.list(once.queue)).items.length, 1, "dead letters after the refusal");
      mended = true;
      const { series, status } = await task.replay();
      equal([series, status], [2, "QUEUED"], "the answer");
      equal(await task.result(), 8, "its result");
      await observer.untilAtRest();
      const ended = await record(task.id);
      equal([ended.series, ended.attempts, ended.error], [2, 1, undefined], "series, attempts and error at the end");
      equal((await client.deadLetters.list(once.queue)).items, [], "dead letters at the end");
    },
  }),

  lifecycleCase({
    name: "replay-child",
    guarantees: GUARANTEES,
    title: "a failed sub-task runs again and reopens its parent, which ends as COMPLETED without running itself",
    async run(world) {
      const broken = new Broken();
      const { client, until, observer, record } = await scene(world, broken.serveAside);
      const { id } = await client.submit(once, { n: 7 });
      await until(id, "COMPLETED_WITH_ERRORS");
      await observer.untilAtRest();
      broken.ran.length = 0;
      broken.mended = true;
      await client.tasks.replay(`${id}/2`);
      await until(id, "COMPLETED");
      await observer.untilAtRest();
      equal(broken.ran, [`${id}/2`], "what ran again");
      const parent = await record(id);
      equal([parent.series, parent.result], [2, 7], "the parent's series and result");
      equal((await record(`${id}/2`)).status, "COMPLETED", "the sub-task");
      await observer.assertEndedStream(parent);
    },
  }),

  lifecycleCase({
    name: "replay-workflow",
    guarantees: GUARANTEES,
    title: "a workflow that a failed step has ended goes on with that step: finished ones keep their results",
    async run(world) {
      const broken = new Broken();
      const { client, until, observer, record } = await scene(world, broken.serve);
      const task = await client.submit(probe, { n: 7 });
      await until(task.id, "FAILED");
      await observer.untilAtRest();
      broken.ran.length = 0;
      broken.mended = true;
      await task.replay();
      equal(await task.result(), 67, "its result");
      await observer.untilAtRest();
      const { id } = task;
      equal(broken.ran, [id, `${id}/2`, `${id}/3`], "what ran again");
      const steps = await Promise.all(["1", "2", "3"].map((key) => record(`${id}/${key}`)));
      equal(
        steps.map(({ status, series }) => [status, series]),
        [
          ["COMPLETED", 1],
          ["COMPLETED", 2],
          ["COMPLETED", 1],
        ],
        "status and series of the steps",
      );
    },
  }),

  lifecycleCase({
    name: "replay-changed-input",
    guarantees: GUARANTEES,
    title: "with a changed input everything runs again, also what had completed",
    async run(world) {
      const broken = new Broken();
      broken.mended = true;
      const { client, observer, record } = await scene(world, broken.serve);
      const task = await client.submit(probe, { n: 7 });
      equal(await task.result(), 67, "the first result");
      await observer.untilAtRest();
      broken.ran.length = 0;
      await task.replay({ input: { n: 8 } });
      equal(await task.result(), 68, "the second result");
      await observer.untilAtRest();
      equal(broken.ran.length, 4, "how many ran again");
      const { epoch, series, input, children } = await record(task.id);
      equal([epoch, series, input], [2, 2, { n: 8 }], "epoch, series and input");
      const before = ["1", "2", "3"].map((key) => `${task.id}/${key}`);
      for (const { id } of Object.values(children)) assert(!before.includes(id), `${id} is of the first epoch`);
    },
  }),

  lifecycleCase({
    name: "replay-refused",
    guarantees: GUARANTEES,
    title: "what cannot be replayed is refused with the reason, and nothing changes",
    async run(world) {
      const broken = new Broken();
      const { client, until, observer } = await scene(world, broken.serve);
      await client.submit(probe, { n: 7 }, { id: "failed" });
      await until("failed", "FAILED");
      await observer.untilAtRest();
      const before = await observer.records();
      const { message } = await rejects(
        "of a failed parent's child",
        "NOT_REPLAYABLE",
        client.tasks.replay("failed/2"),
      );
      assert(message.includes("replay failed,"), `the refusal does not say to replay the parent: ${message}`);
      await rejects("of a completed one", "NOT_REPLAYABLE", client.tasks.replay("failed/1"));
      await rejects("of none", "NOT_FOUND", client.tasks.replay("nowhere"));
      equal(await observer.records(), before, "the records");
    },
  }),

  lifecycleCase({
    name: "replay-twice",
    guarantees: GUARANTEES,
    title: "of two replays at the same time one wins: the task runs once",
    async run(world) {
      const broken = new Broken();
      const { client, worker, until, observer, record } = await scene(world, broken.serve);
      const { id } = await client.submit(probe, { n: 7 });
      await until(id, "FAILED");
      await observer.untilAtRest();
      broken.ran.length = 0;
      broken.mended = true;
      const replays = [client, worker.app, client, worker.app].map((app) => app.tasks.replay(id));
      const refusals = (await Promise.allSettled(replays)).filter(({ status }) => status === "rejected");
      equal(refusals.length, 3, "refusals");
      await Promise.all(
        replays.map((replay) =>
          replay.then(
            () => {},
            () => rejects("a replay that lost", "NOT_REPLAYABLE", replay),
          ),
        ),
      );
      await until(id, "COMPLETED");
      await observer.untilAtRest();
      equal(broken.ran.filter((ran) => ran === id).length, 1, "runs");
      equal((await record(id)).series, 2, "its series");
    },
  }),
];
