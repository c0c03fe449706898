import type { App } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { bridged, stage } from "./client-stage.ts";
import { leaf, probe, step } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { untilAborted } from "./crash-scenarios.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

const tree = (runs: string[]) => (app: App) => {
  bridged(app);
  app.handle(step, async (params, ctx) => {
    runs.push(ctx.id);
    await ctx.submit(leaf, params);
    return untilAborted(ctx.signal);
  });
  app.handle(probe, async (params, ctx) => {
    runs.push(ctx.id);
    await ctx.submit(step, params, { key: "a" });
    await ctx.submit(step, params, { key: "b" });
    return untilAborted(ctx.signal);
  });
};

const TREE = ["root", "root/a", "root/b", "root/a/leaf", "root/b/leaf"];

export const cancellerDies: ConformanceCase = lifecycleCase({
  name: "canceller-dies",
  guarantees: ["LC-11", "LC-2"],
  title: "a canceller dies at each moment, in the middle of a tree: the whole tree is cancelled, or nothing of it",
  needs: ["kill"],
  run: (parent, t) =>
    atEachMoment(t, "canceller killed", (at) =>
      stage(parent, at, async ({ world, inNamespace, observer, act }) => {
        const runs: string[] = [];
        // Nobody works on the leaves' queue: they are held by nobody.
        await world.worker(tree(runs), { inNamespace });
        const client = await world.process({ inNamespace, serve: bridged });
        await client.app.submit(probe, { n: 1 }, { id: "root" });
        const all = async () => (await observer.records()).length === TREE.length && runs.length === 3;
        await t.until("the tree stands", all, { withinMs: RECOVERY_MS });
        await act((app) => app.tasks.cancel("root"));
        if ((await observer.record("root"))?.cancelRequested !== true) await client.app.tasks.cancel("root");
        await observer.untilAtRest();
        const ended = (await observer.records()).map(({ id, status }) => `${id} ${status}`).sort();
        equal(ended, TREE.map((id) => `${id} CANCELLED`).sort(), "how the tree ended");
        const root = await observer.record("root");
        if (root !== undefined) await observer.assertEndedStream(root);
        observer.assertAnnounced(TREE.map((id) => `${id}.1.failed`));
        equal(runs.length, 3, "runs");
      }),
    ),
});
