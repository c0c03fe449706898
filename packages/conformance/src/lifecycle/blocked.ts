import type { App } from "@intermodal/core";
import { defineTask, fixed } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { any } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { type AppProcess, GRACE_MS, LEASE_MS, lifecycleCase, RECOVERY_MS, type World } from "./world.ts";

const heavy = defineTask("heavy", {
  input: any<{ n: number }>(),
  output: any<number>(),
  retry: { maxAttempts: 3, backoff: fixed(100) },
});

/** A worker whose handler has hold of the process it runs in. */
async function worker(world: World, handle: (process: AppProcess) => number | Promise<number>): Promise<AppProcess> {
  const process: AppProcess = await world.process({
    concurrency: 1,
    serve: (app: App) => {
      app.bridge({ notifications: ["completed", "failed"] });
      app.handle(heavy, () => handle(process));
    },
  });
  await process.app.start();
  return process;
}

const blocked = lifecycleCase({
  name: "blocked",
  guarantees: ["LC-10", "LC-2"],
  title: "a handler blocks its process for three leases, and so does whoever takes over: COMPLETED, told once",
  async run(world, t) {
    let runs = 0;
    const observer = new Observer(t, await world.open());
    await observer.listen();
    const block = async (process: AppProcess) => {
      runs++;
      process.block();
      await t.sleep(3 * LEASE_MS);
      process.unblock();
      return 7;
    };
    for (let workers = 0; workers < 2; workers++) await worker(world, block);
    const task = await (await world.process()).app.submit(heavy, { n: 1 }, { id: "task" });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 7, "its result");
    await observer.untilAtRest();
    await observer.assertStays(4 * GRACE_MS);
    equal((await observer.record("task"))?.status, "COMPLETED", "how it ended");
    equal((await observer.deadLetters()).length, 0, "dead letters");
    equal((await observer.record("task"))?.attempts, runs, "attempts counted and made");
    observer.assertAnnounced(["task.1.completed"]);
  },
});

const wokenUp = lifecycleCase({
  name: "blocked-then-woken",
  guarantees: ["LC-10", "LC-1"],
  title: "a worker that was frozen until another one had ended its task changes nothing when it goes on",
  async run(world, t) {
    let first: AppProcess | undefined;
    const observer = new Observer(t, await world.open());
    await observer.listen();
    const returns = Promise.withResolvers<number>();
    const handle = (process: AppProcess): number | Promise<number> => {
      if (first !== undefined) return 2;
      first = process;
      process.block();
      return returns.promise;
    };
    for (let workers = 0; workers < 2; workers++) await worker(world, handle);
    const task = await (await world.process()).app.submit(heavy, { n: 1 }, { id: "task" });
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "the result of the one who took over");
    await t.sleep(2 * LEASE_MS);
    const ended = await observer.record("task");
    returns.resolve(1);
    first?.unblock();
    await observer.untilAtRest();
    await observer.assertStays(4 * GRACE_MS);
    const now = await observer.record("task");
    equal([now?.status, now?.result], [ended?.status, ended?.result], "how it ended");
    equal([now?.status, now?.attempts], ["COMPLETED", 2], "status and attempts");
    observer.assertAnnounced(["task.1.completed"]);
  },
});

export const blockedCases: readonly ConformanceCase[] = [blocked, wokenUp];
