import { type App, cloudEventsCodec, NonRetryableError } from "@intermodal/core";
import { ACK, IntermodalError } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe, step } from "./contracts.ts";
import { scene } from "./scene.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

export const announceCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "announced-once",
    guarantees: ["LC-2"],
    title: "the end of a task is announced under one id, also where answers are lost and publishing is refused",
    async run(world) {
      let published = 0;
      const serve = (app: App) => {
        app.bridge({ notifications: ["completed", "failed"] });
        app.handle(step, ({ n }) => {
          if (n < 0) throw new NonRetryableError("on purpose");
          return n;
        });
        app.handle(probe, async ({ n }, ctx) => {
          await ctx.submit(step, { n }, { key: "good" });
          await ctx.submit(step, { n: -n }, { key: "bad" });
          return n;
        });
      };
      const { client, worker, until, observer } = await scene(world, serve);
      await observer.listen();
      worker.switched.around = async (call, run) => {
        if (call.name !== "eventBus.publish") return run();
        published++;
        if (published % 3 === 0) return run();
        const unknown = published % 3 === 1;
        if (unknown) await run();
        throw new IntermodalError("UNAVAILABLE", "the answer was lost, or nothing was sent", { unknown });
      };
      const { id } = await client.submit(probe, { n: 1 });
      await until(id, "COMPLETED_WITH_ERRORS");
      await observer.untilAtRest();
      const ids = [`${id}.1.completed`, `${id}/good.1.completed`, `${id}/bad.1.failed`];
      await world.t.until("all is announced", () => new Set(observer.announced).size >= ids.length, {
        withinMs: RECOVERY_MS,
      });
      observer.assertAnnounced(ids);
    },
  }),

  lifecycleCase({
    name: "announced-attempts",
    guarantees: ["LC-2"],
    title: "each attempt and retry has an external copy with an id of its own, without the stack",
    async run(world, t) {
      const serve = (app: App) => {
        app.bridge({ notifications: ["started", "retrying"], types: [probe] });
        app.handle(step, ({ n }) => n);
        app.handle(probe, async ({ n }, ctx) => {
          await ctx.submit(step, { n });
          if (ctx.attempt === 1) throw new Error("not yet");
          return n;
        });
      };
      const { eventBus } = await world.open();
      const told: (readonly unknown[])[] = [];
      const types = ["task.started", "task.retrying", "task.completed"];
      const name = { service: "observer", listener: "attempts" };
      await eventBus.listen(name, { types, from: "new", concurrency: 10 }, async ({ body }) => {
        const { id, type, data } = cloudEventsCodec.decode(body);
        told.push([id, type, data.attempt, data.error]);
        return ACK;
      });
      const { client, until, observer } = await scene(world, serve);
      const { id } = await client.submit(probe, { n: 1 });
      await until(id, "COMPLETED");
      await observer.untilAtRest();
      await t.until("all is told", () => told.length >= 3, { withinMs: RECOVERY_MS });
      await t.sleep(1_000);
      const error = { name: "Error", message: "not yet" };
      equal(
        new Map(told.map(([eventId, ...rest]) => [eventId, rest])),
        new Map([
          [`${id}.1.started.1`, ["task.started", 1, undefined]],
          [`${id}.1.retrying.1`, ["task.retrying", 1, error]],
          [`${id}.1.started.2`, ["task.started", 2, undefined]],
        ]),
        "the external copies",
      );
    },
  }),
];
