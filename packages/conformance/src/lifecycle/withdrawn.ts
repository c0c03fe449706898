import type { App } from "@intermodal/core";
import { assert, equal, rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe } from "./contracts.ts";
import { Gate } from "./gate.ts";
import { Observer } from "./observer.ts";
import { Outage } from "./outage.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const doubling = (runs: string[]) => (app: App) => {
  app.handle(probe, ({ n }, ctx) => {
    runs.push(ctx.id);
    return 2 * n;
  });
};

const withdrawn = lifecycleCase({
  name: "withdrawn",
  guarantees: ["LC-3"],
  title: "a task that could not be sent reads as CANCELLED and never runs; submitted again it runs",
  async run(world, t) {
    const runs: string[] = [];
    const client = await world.process();
    const outage = new Outage(client);
    outage.begin("commandBus");
    const submit = () => client.app.submit(probe, { n: 1 }, { id: "task" });
    await rejects("a submit while the bus is away", "UNAVAILABLE", submit);
    equal((await client.app.tasks.get("task"))?.status, "CANCELLED", "what its submitter was told");
    await world.worker(doubling(runs));
    await t.never("it runs", () => runs.length > 0, { forMs: 4 * GRACE_MS });
    outage.end("commandBus");
    const task = await submit();
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
    equal((await task.status()).series, 2, "its series");
    equal(runs, ["task"], "runs");
  },
});

const twoSubmitters = lifecycleCase({
  name: "withdrawn-by-one-of-two",
  guarantees: ["LC-3"],
  title: "of two submitters of one id one cannot send: the task runs for the other",
  async run(world, t) {
    const runs: string[] = [];
    const sending = new Gate();
    const [unlucky, lucky] = [await world.process(), await world.process()];
    const outage = new Outage(unlucky, async (name) => {
      if (name === "commandBus.send") await sending.pass();
    });
    outage.begin("commandBus");
    const submit = (app: App) => app.submit(probe, { n: 1 }, { id: "task" });
    const first = submit(unlucky.app).catch(() => {});
    await t.until("the first has created it", () => sending.came > 0);
    const task = await submit(lucky.app);
    sending.open();
    await first;
    await world.worker(doubling(runs));
    equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "the result for the other");
    await t.never("it runs again", () => runs.length > 1, { forMs: 3 * GRACE_MS });
  },
});

const unknownSend = lifecycleCase({
  name: "withdrawn-after-lost-answer",
  guarantees: ["LC-3", "LC-5"],
  title: "a submit whose answer was lost can be repeated, before and after a worker came: it runs once",
  async run(world, t) {
    const runs: string[] = [];
    const observer = new Observer(t, await world.open());
    const client = await world.process();
    const outage = new Outage(client);
    const submitTwice = async (id: string) => {
      outage.loseAnswers("commandBus.send");
      await client.app.submit(probe, { n: 1 }, { id }).catch((error: { unknown?: boolean }) => {
        assert(error.unknown, "an error that does not say that the task may have been sent");
      });
      const task = await client.app.submit(probe, { n: 1 }, { id });
      if (id === "early") await world.worker(doubling(runs));
      equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, `the result of ${id}`);
    };
    await submitTwice("early");
    await submitTwice("late");
    await observer.untilAtRest();
    await observer.assertStays(3 * GRACE_MS);
    equal(runs, ["early", "late"], "runs");
  },
});

export const withdrawnCases: readonly ConformanceCase[] = [withdrawn, twoSubmitters, unknownSend];
