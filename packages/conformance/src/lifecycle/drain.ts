import type { App } from "@intermodal/core";
import { equal, rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { happened, leaf, probe } from "./contracts.ts";
import { untilAborted } from "./crash-scenarios.ts";
import { Gate } from "./gate.ts";
import { scene } from "./scene.ts";
import { LEASE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const GUARANTEES = ["LC-18"];

const PATIENCE_MS = 60_000;

/** Completes, and notes that it ran here. */
const noting = (ran: string[]) => (app: App) => {
  app.handle(probe, ({ n }, ctx) => {
    ran.push(ctx.id);
    return n;
  });
};

export const drainCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "drain-running",
    guarantees: GUARANTEES,
    title: "stop() lets a running handler end, and resolves then; after it nothing is taken on",
    async run(world, t) {
      const gate = new Gate();
      let signal: AbortSignal | undefined;
      const serve = (app: App) =>
        app.handle(probe, async ({ n }, ctx) => {
          signal = ctx.signal;
          await gate.pass();
          return n;
        });
      const { client, worker, observer, record } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 7 });
      await t.until("it runs", () => gate.came === 1);
      let stopped = false;
      const stopping = worker.app.stop({ timeoutMs: PATIENCE_MS }).then((answer) => {
        stopped = true;
        return answer;
      });
      await t.never("stop() resolves", () => stopped, { forMs: 2 * LEASE_MS });
      gate.open();
      equal(await stopping, { unfinished: [] }, "the answer of stop()");
      const { status, result, attempts } = await record(id);
      equal([status, result, attempts], ["COMPLETED", 7, 1], "the task");
      equal(signal?.aborted, false, "whether its signal aborted");
      await rejects("submit", "CLOSED", worker.app.submit(probe, { n: 1 }));
      await rejects("publish", "CLOSED", worker.app.publish(happened, { n: 1 }));
      // On a slow machine it was sent once more meanwhile: somebody has to let go of that message.
      if ((await record(id)).sends > 1) await world.worker(serve);
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "drain-not-started",
    guarantees: GUARANTEES,
    title: "what has not started when a worker stops is run by another, as its first attempt",
    async run(world, t) {
      const gate = new Gate();
      const serve = (app: App) =>
        app.handle(probe, async ({ n }) => {
          await gate.pass();
          return n;
        });
      const { client, worker, until, observer, record } = await scene(world, serve, { concurrency: 1 });
      await client.submit(probe, { n: 0 }, { id: "running" });
      await t.until("it runs", () => gate.came === 1);
      const ids = ["1", "2", "3", "4"];
      for (const id of ids) await client.submit(probe, { n: Number(id) }, { id });
      const stopping = worker.app.stop({ timeoutMs: PATIENCE_MS });
      const ran: string[] = [];
      await world.worker(noting(ran));
      for (const id of ids) {
        const { attempts, retryCount, takeovers } = await until(id, "COMPLETED");
        equal([attempts, retryCount, takeovers], [1, 0, 0], `attempts, retries and take-overs of ${id}`);
      }
      equal(ran.toSorted(), ids, "what the other worker ran");
      equal((await record("running")).status, "RUNNING", "the task that runs");
      gate.open();
      equal(await stopping, { unfinished: [] }, "the answer of stop()");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "drain-limit",
    guarantees: GUARANTEES,
    title:
      "past its limit stop() aborts what runs; what stops for it is handed back uncounted and run by another worker",
    async run(world, t) {
      const reasons: unknown[] = [];
      let running = false;
      const serve = (app: App) =>
        app.handle(probe, (_, ctx) => {
          running = true;
          return untilAborted(ctx.signal).catch((reason: { code?: unknown }) => {
            reasons.push(reason.code);
            throw reason;
          });
        });
      const { client, worker, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 7 });
      await t.until("it runs", () => running);
      equal(await worker.app.stop({ timeoutMs: 300 }), { unfinished: [] }, "the answer of stop()");
      equal(reasons, ["SHUTDOWN"], "the signal's reason");
      const ran: string[] = [];
      await world.worker(noting(ran));
      const { attempts, retryCount, result, error } = await until(id, "COMPLETED");
      equal([attempts, retryCount, result, error], [1, 0, 7, undefined], "attempts, retries, result and error");
      equal(ran, [id], "what the other worker ran");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "drain-unfinished",
    guarantees: GUARANTEES,
    title: "a handler that does not stop is named by stop(), keeps its task, and its completion counts",
    async run(world, t) {
      const gate = new Gate();
      const serve = (app: App) =>
        app.handle(probe, async ({ n }) => {
          await gate.pass();
          return n;
        });
      const { client, worker, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 7 });
      await t.until("it runs", () => gate.came === 1);
      const { unfinished } = await worker.app.stop({ timeoutMs: 300 });
      equal(unfinished, [{ id, type: probe.name }], "what stop() names");
      const ran: string[] = [];
      await world.worker(noting(ran));
      await t.never("another worker takes it", () => ran.length > 0, { forMs: 4 * LEASE_MS });
      gate.open();
      const { attempts, takeovers } = await until(id, "COMPLETED");
      equal([attempts, takeovers], [1, 0], "attempts and take-overs");
      await observer.untilAtRest();
      equal(ran, [], "what the other worker ran");
    },
  }),

  lifecycleCase({
    name: "drain-waiting",
    guarantees: GUARANTEES,
    title: "a parent that only waits for its sub-task does not hold up stop(): it goes on in another worker",
    async run(world, t) {
      const gate = new Gate();
      await world.worker((app) =>
        app.handle(leaf, async ({ n }) => {
          await gate.pass();
          return n;
        }),
      );
      const serve = (app: App) => app.handle(probe, async ({ n }, ctx) => 1 + (await ctx.call(leaf, { n })));
      const { client, worker, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 7 });
      await until(id, "waiting");
      await t.until("its sub-task runs", () => gate.came === 1);
      let stopped: unknown;
      void worker.app.stop({ timeoutMs: PATIENCE_MS }).then((answer) => {
        stopped = answer;
      });
      await t.until("stop() resolves", () => stopped !== undefined, { withinMs: PATIENCE_MS / 2 });
      equal(stopped, { unfinished: [] }, "the answer of stop()");
      await world.worker(serve);
      gate.open();
      const { result, retryCount, takeovers } = await until(id, "COMPLETED");
      equal([result, retryCount, takeovers], [8, 0, 0], "result, retries and take-overs");
      equal(gate.came, 1, "runs of the sub-task");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "drain-before-started",
    guarantees: GUARANTEES,
    title: "stop() while start() still waits for the broker ends, and nothing is taken when the broker is there",
    needs: ["cut", "mend"],
    async run(world, t) {
      const here: string[] = [];
      const elsewhere: string[] = [];
      // Slow enough for another one to have some, if it took any.
      const slow = (app: App) =>
        app.handle(probe, async ({ n }, ctx) => {
          elsewhere.push(ctx.id);
          await t.sleep(200);
          return n;
        });
      const { client, until, observer } = await scene(world, slow, { concurrency: 1 });
      const late = await world.process({ serve: noting(here) });
      await t.faults.cut(late.adapter);
      let started = false;
      const note = () => {
        started = true;
      };
      late.app.start().then(note, note);
      await t.sleep(500);
      let stopped = false;
      void late.app.stop({ timeoutMs: PATIENCE_MS }).then(() => {
        stopped = true;
      });
      await t.until("stop() resolves", () => stopped, { withinMs: PATIENCE_MS / 2 });
      await t.faults.mend(late.adapter);
      await t.until("start() ends", () => started, { withinMs: RECOVERY_MS });
      const ids = ["1", "2", "3", "4"];
      for (const id of ids) await client.submit(probe, { n: 1 }, { id });
      for (const id of ids) await until(id, "COMPLETED");
      equal(here, [], "what the stopped worker ran");
      equal(elsewhere.toSorted(), ids, "what the other one ran");
      await observer.untilAtRest();
    },
  }),
];
