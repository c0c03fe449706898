import { type App, isIntermodalError, NonRetryableError } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { bridged, stage } from "./client-stage.ts";
import { probe, step } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

/** A parent one of whose sub-tasks fails in its first series. */
const mending = (runs: string[], mended: () => boolean) => (app: App) => {
  bridged(app);
  app.handle(step, ({ n }, ctx) => {
    runs.push(ctx.id);
    if (n === 2 && !mended()) throw new NonRetryableError("broken");
    return n;
  });
  app.handle(probe, async (_, ctx) => {
    runs.push(ctx.id);
    await ctx.submit(step, { n: 1 }, { key: "a" });
    await ctx.submit(step, { n: 2 }, { key: "b" });
    return 7;
  });
};

function replayerDies(which: "root" | "root/b"): ConformanceCase {
  const what = which === "root" ? "a parent" : "a failed sub-task";
  return lifecycleCase({
    name: `replayer-dies-${which === "root" ? "parent" : "child"}`,
    guarantees: ["LC-15", "LC-1"],
    title: `whoever replays ${what} dies at each moment: repeated, it runs what failed once more, and nothing else`,
    needs: ["kill"],
    run: (parent, t) =>
      atEachMoment(t, "replayer killed", (at) =>
        stage(parent, at, async ({ world, inNamespace, observer, act }) => {
          const runs: string[] = [];
          let mended = false;
          await world.worker(
            mending(runs, () => mended),
            { inNamespace },
          );
          const client = await world.process({ inNamespace, serve: bridged });
          await client.app.submit(probe, { n: 1 }, { id: "root" });
          await observer.untilAtRest();
          equal((await observer.record("root"))?.status, "COMPLETED_WITH_ERRORS", "the first end");
          mended = true;
          runs.length = 0;
          await act((app) => app.tasks.replay(which));
          const completed = async () => {
            await client.app.tasks.replay(which).catch((error: unknown) => {
              if (!isIntermodalError(error, "NOT_REPLAYABLE")) throw error;
            });
            return (await observer.record("root"))?.status === "COMPLETED";
          };
          await t.until("the parent completes", completed, { withinMs: RECOVERY_MS });
          await observer.untilAtRest();
          equal([...new Set(runs)].sort(), which === "root" ? ["root", "root/b"] : ["root/b"], "what ran again");
          equal(runs.length, new Set(runs).size, "runs, each once");
          const root = await observer.record("root");
          equal(root?.series, 2, "the parent's series");
          if (root !== undefined) await observer.assertEndedStream(root);
        }),
      ),
  });
}

export const replayerCrashes: readonly ConformanceCase[] = [replayerDies("root"), replayerDies("root/b")];
