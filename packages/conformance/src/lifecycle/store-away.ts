import type { App } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { probe } from "./contracts.ts";
import { Gate } from "./gate.ts";
import { Observer } from "./observer.ts";
import { Outage } from "./outage.ts";
import { GRACE_MS, LEASE_MS, lifecycleCase, RECOVERY_MS, type World } from "./world.ts";

const AWAY_MS = 4 * LEASE_MS;

/** A worker whose store goes away, and a client whose store stays. */
async function scene(world: World, t: CaseContext, handle: (attempt: number) => void | Promise<void> = () => {}) {
  const runs: number[] = [];
  const observer = new Observer(t, await world.open());
  const worker = await world.worker((app: App) =>
    app.handle(probe, async ({ n }, ctx) => {
      runs.push(ctx.attempt);
      await handle(ctx.attempt);
      return 2 * n;
    }),
  );
  const outage = new Outage(worker);
  const { app } = await world.process();
  const submit = () => app.submit(probe, { n: 1 }, { id: "task" });
  const assertEnd = async (attempts: readonly number[]) => {
    equal(await app.task(probe, "task").result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    await observer.untilAtRest();
    await observer.assertStays(3 * GRACE_MS);
    equal(runs, attempts, "attempts that ran");
    const record = await observer.record("task");
    equal([record?.status, record?.attempts], ["COMPLETED", attempts.length], "status and attempts");
    equal((await observer.deadLetters()).length, 0, "dead letters");
  };
  return { runs, outage, submit, assertEnd };
}

const atClaim = lifecycleCase({
  name: "store-away-at-claim",
  guarantees: ["LC-9"],
  title: "the state store is away when a message comes: nothing is counted or lost, the task runs once it is back",
  async run(world, t) {
    const { runs, outage, submit, assertEnd } = await scene(world, t);
    outage.begin("taskStateStore");
    await submit();
    await t.never("it runs", () => runs.length > 0, { forMs: AWAY_MS });
    outage.end("taskStateStore");
    await assertEnd([1]);
  },
});

const claimLost = lifecycleCase({
  name: "store-away-claim-lost",
  guarantees: ["LC-9"],
  title:
    "the answer to a claim is lost, and the one to the renewal after it: the task runs once, and one attempt is counted",
  async run(world, t) {
    const { outage, submit, assertEnd } = await scene(world, t);
    const lost = ["taskStateStore.claim", "taskStateStore.renew"];
    for (const name of lost) outage.loseAnswers(name);
    await submit();
    await t.until("the answers are lost", () => lost.every((name) => outage.toLose(name) === 0));
    await assertEnd([1]);
  },
});

const claimLostForLong = lifecycleCase({
  name: "store-away-from-claim",
  guarantees: ["LC-9"],
  title: "the store goes away in the middle of a claim, for longer than the lease: no attempt is counted for nothing",
  async run(world, t) {
    const { runs, outage, submit, assertEnd } = await scene(world, t);
    outage.beginDuring("taskStateStore.claim");
    await submit();
    await t.never("it runs", () => runs.length > 0, { forMs: AWAY_MS });
    outage.end("taskStateStore");
    await assertEnd([1]);
  },
});

const claimLostExpired = lifecycleCase({
  name: "store-away-claim-of-expired-lost",
  guarantees: ["LC-9"],
  title: "the answer to the claim of a task whose time is over is lost: it is not run for that",
  async run(world, t) {
    let runs = 0;
    const observer = new Observer(t, await world.open());
    const { app } = await world.process();
    const task = await app.submit(probe, { n: 1 }, { id: "task", expiresMs: 500 });
    await t.sleep(1_000);
    const serve = (worker: App) => worker.handle(probe, () => ++runs);
    const worker = await world.process({ serve });
    new Outage(worker).loseAnswers("taskStateStore.claim");
    await worker.app.start();
    await observer.untilAtRest();
    const { status, error } = await task.status();
    equal([status, error?.code, runs], ["FAILED", "EXPIRED", 0], "status, code and runs");
  },
});

const atSettle = lifecycleCase({
  name: "store-away-at-settle",
  guarantees: ["LC-9"],
  title: "the state store is away when a handler returns, for longer than the lease: its result is kept and settled",
  async run(world, t) {
    const held = new Gate();
    const { outage, submit, assertEnd } = await scene(world, t, () => held.pass());
    await submit();
    await t.until("it runs", () => held.came > 0);
    outage.begin("taskStateStore");
    held.open();
    await t.sleep(AWAY_MS);
    outage.end("taskStateStore");
    await assertEnd([1]);
  },
});

const settleLost = lifecycleCase({
  name: "store-away-settle-lost",
  guarantees: ["LC-9"],
  title: "the answers to a retry's settle and to the last settle are lost: both count once",
  async run(world, t) {
    const { outage, submit, assertEnd } = await scene(world, t, (attempt) => {
      outage.loseAnswers("taskStateStore.settle");
      if (attempt === 1) throw new Error("not yet");
    });
    await submit();
    await assertEnd([1, 2]);
    equal(outage.toLose("taskStateStore.settle"), 0, "answers that were not lost");
  },
});

export const storeAwayCases: readonly ConformanceCase[] = [
  atClaim,
  claimLost,
  claimLostForLong,
  claimLostExpired,
  atSettle,
  settleLost,
];
