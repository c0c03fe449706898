import type { App } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { stage } from "./client-stage.ts";
import { probe } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const doubling = (runs: string[]) => (app: App) => {
  app.handle(probe, ({ n }, ctx) => {
    runs.push(ctx.id);
    return 2 * n;
  });
};

export const submitterDies: ConformanceCase = lifecycleCase({
  name: "submitter-dies",
  guarantees: ["LC-1", "LC-3"],
  title: "a submitter dies at each moment of a submit: the task is not there or runs to its end, once",
  needs: ["kill"],
  run: (parent, t) =>
    atEachMoment(t, "submitter killed", (at) =>
      stage(parent, at, async ({ world, inNamespace, observer, act }) => {
        const runs: string[] = [];
        await world.worker(doubling(runs), { inNamespace });
        await act((app) => app.submit(probe, { n: 1 }, { id: "root" }));
        await t.sleep(4 * GRACE_MS);
        await observer.untilAtRest();
        const root = await observer.record("root");
        assert(root === undefined || root.status === "COMPLETED", `the task is ${root?.status}`);
        equal(runs.length, root === undefined ? 0 : 1, "runs");
      }),
    ),
});

export const submitterDiesAndAnotherSubmits: ConformanceCase = lifecycleCase({
  name: "submitter-dies-another-submits",
  guarantees: ["LC-1", "LC-3", "LC-5"],
  title: "a submitter dies at each moment of a submit and another repeats it: the task runs to its end, once",
  needs: ["kill"],
  run: (parent, t) =>
    atEachMoment(t, "submitter killed", (at) =>
      stage(parent, at, async ({ world, inNamespace, observer, act }) => {
        const runs: string[] = [];
        await world.worker(doubling(runs), { inNamespace });
        await act((app) => app.submit(probe, { n: 1 }, { id: "root" }));
        const other = await world.process({ inNamespace });
        const task = await other.app.submit(probe, { n: 1 }, { id: "root" });
        equal(await task.result({ timeoutMs: RECOVERY_MS }), 2, "the result");
        await observer.untilAtRest();
        equal(runs.length, 1, "runs");
        await observer.assertStays(3 * GRACE_MS);
      }),
    ),
});
