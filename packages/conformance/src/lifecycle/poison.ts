import { defineTask, fixed } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { any } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { type AppProcess, GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const MAX_ATTEMPTS = 3;

const deadly = defineTask("deadly", {
  input: any<{ n: number }>(),
  retry: { maxAttempts: MAX_ATTEMPTS, backoff: fixed(100) },
});

const poison = lifecycleCase({
  name: "poison",
  guarantees: ["LC-6"],
  title: "a message that kills its worker is started maxAttempts times; then the task is DEAD_LETTER, once",
  needs: ["kill"],
  async run(world, t) {
    let starts = 0;
    const observer = new Observer(t, await world.open());
    await (await world.process()).app.submit(deadly, { n: 1 }, { id: "task" });
    const isDead = async () => (await observer.record("task"))?.status === "DEAD_LETTER";
    for (let workers = 0; workers <= MAX_ATTEMPTS; workers++) {
      const worker: AppProcess = await world.worker((app) =>
        app.handle(deadly, async () => {
          starts++;
          await worker.kill();
          await new Promise<never>(() => {});
        }),
      );
      await t.until("it kills its worker, or is dead", async () => worker.isDead || (await isDead()), {
        withinMs: RECOVERY_MS,
      });
    }
    await t.until("it is dead", isDead, { withinMs: RECOVERY_MS });
    await observer.untilAtRest();
    await observer.assertStays(4 * GRACE_MS);
    equal(starts, MAX_ATTEMPTS, "starts");
    equal((await observer.record("task"))?.attempts, MAX_ATTEMPTS, "attempts");
    // Where the bus does not tell what is in flight or delayed, its last message may still be on its way.
    await t.until("it is among the dead letters", async () => (await observer.deadTasks()).length > 0, {
      withinMs: RECOVERY_MS,
    });
    equal(await observer.deadTasks(), ["task"], "tasks with dead letters");
  },
});

export const poisonCases: readonly ConformanceCase[] = [poison];
