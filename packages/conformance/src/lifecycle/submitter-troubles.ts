import type { App, TaskHandle } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { stage } from "./client-stage.ts";
import { probe } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { type Loss, repeated, TITLES } from "./losses.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

export function submitting(loss: Loss): ConformanceCase {
  return lifecycleCase({
    name: `submitter-${loss}`,
    guarantees: ["LC-1", "LC-3", "LC-9"],
    title: `a submitter ${TITLES[loss]} a submit and repeats it: the task runs to its end, once`,
    run: (parent, t) =>
      atEachMoment(t, loss, (at) =>
        stage(
          parent,
          at,
          async ({ world, inNamespace, observer, act }) => {
            const runs: string[] = [];
            const serve = (app: App) =>
              app.handle(probe, ({ n }, ctx) => {
                runs.push(ctx.id);
                return 2 * n;
              });
            await world.worker(serve, { inNamespace });
            let task: TaskHandle<typeof probe> | undefined;
            await act((app) =>
              repeated(async () => {
                task = await app.submit(probe, { n: 1 }, { id: "root" });
              }),
            );
            assert(task !== undefined, "the submit was never taken");
            equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "the result");
            await observer.untilAtRest();
            await observer.assertStays(3 * GRACE_MS);
            equal(runs, ["root"], "runs");
          },
          loss,
        ),
      ),
  });
}
