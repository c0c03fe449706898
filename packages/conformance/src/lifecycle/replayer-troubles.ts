import { type App, isIntermodalError, NonRetryableError } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { stage } from "./client-stage.ts";
import { probe, step } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { type Loss, repeated, TITLES } from "./losses.ts";
import { lifecycleCase } from "./world.ts";

export function replaying(loss: Loss): ConformanceCase {
  return lifecycleCase({
    name: `replayer-${loss}`,
    guarantees: ["LC-15", "LC-9"],
    title: `whoever replays a failed sub-task ${TITLES[loss]} it, and repeats it: it runs once more, and its parent ends well`,
    run: (parent, t) =>
      atEachMoment(t, loss, (at) =>
        stage(
          parent,
          at,
          async ({ world, inNamespace, observer, act }) => {
            let mended = false;
            const runs: string[] = [];
            const serve = (app: App) => {
              app.handle(step, ({ n }, ctx) => {
                runs.push(ctx.id);
                if (!mended) throw new NonRetryableError("broken");
                return n;
              });
              app.handle(probe, async ({ n }, ctx) => {
                runs.push(ctx.id);
                await ctx.submit(step, { n }, { key: "a" });
                return n;
              });
            };
            await world.worker(serve, { inNamespace });
            const client = await world.process({ inNamespace });
            await client.app.submit(probe, { n: 1 }, { id: "root" });
            await observer.untilAtRest();
            mended = true;
            await act((app) =>
              repeated(
                () => app.tasks.replay("root/a"),
                (error) => isIntermodalError(error, "NOT_REPLAYABLE"),
              ),
            );
            await observer.untilAtRest();
            equal((await observer.record("root"))?.status, "COMPLETED", "how the parent ends");
            equal(runs, ["root", "root/a", "root/a"], "runs");
          },
          loss,
        ),
      ),
  });
}
