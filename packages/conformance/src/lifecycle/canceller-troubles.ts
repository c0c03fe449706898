import type { App } from "@intermodal/core";
import { assert } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { bridged, stage } from "./client-stage.ts";
import { probe, step } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { untilAborted } from "./crash-scenarios.ts";
import { type Loss, repeated, TITLES } from "./losses.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

export function cancelling(loss: Loss): ConformanceCase {
  return lifecycleCase({
    name: `canceller-${loss}`,
    guarantees: ["LC-11", "LC-9"],
    title: `a canceller ${TITLES[loss]} a cancel: all the same, everything ends as CANCELLED`,
    run: (parent, t) =>
      atEachMoment(t, loss, (at) =>
        stage(
          parent,
          at,
          async ({ world, inNamespace, observer, act }) => {
            let running = 0;
            const serve = (app: App) => {
              bridged(app);
              app.handle(step, (_, ctx) => {
                running++;
                return untilAborted(ctx.signal);
              });
              app.handle(probe, async ({ n }, ctx) => {
                await ctx.submit(step, { n }, { key: "a" });
                await ctx.submit(step, { n }, { key: "delayed", delayMs: 10 * RECOVERY_MS });
                return n;
              });
            };
            await world.worker(serve, { inNamespace });
            const client = await world.process({ inNamespace, serve: bridged });
            await client.app.submit(probe, { n: 1 }, { id: "root" });
            const stands = async () => running === 1 && (await observer.record("root"))?.phase === "awaiting-children";
            await t.until("the family stands", stands, { withinMs: RECOVERY_MS });
            await act((app) => repeated(() => app.tasks.cancel("root")));
            const ended = async () => (await observer.records()).every(({ status }) => status === "CANCELLED");
            await t.until("all are cancelled", ended, { withinMs: RECOVERY_MS });
            const root = await observer.record("root");
            assert(root !== undefined, "the task is gone");
            const announced = () => new Set(observer.announced).size === 3;
            await t.until("all is announced", announced, { withinMs: RECOVERY_MS });
            await observer.assertEndedStream(root);
          },
          loss,
        ),
      ),
  });
}
