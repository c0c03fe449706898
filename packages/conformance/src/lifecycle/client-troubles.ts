import { type App, isIntermodalError, NonRetryableError, type TaskHandle } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { bridged, stage } from "./client-stage.ts";
import { probe, step } from "./contracts.ts";
import { atEachMoment } from "./crash-points.ts";
import { untilAborted } from "./crash-scenarios.ts";
import type { Trouble } from "./trouble.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

const TITLES = {
  refused: "finds a server away at each call of",
  lost: "loses the answer of each call of",
} as const satisfies Partial<Record<Trouble, string>>;

type Loss = keyof typeof TITLES;

/** Repeats what failed for want of a server, as a caller would. */
async function repeated<T>(what: () => Promise<T>, accepted: (error: unknown) => boolean = () => false): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    try {
      await what();
      return;
    } catch (error) {
      if (accepted(error)) return;
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
    }
  }
}

function submitting(loss: Loss): ConformanceCase {
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

function cancelling(loss: Loss): ConformanceCase {
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

function replaying(loss: Loss): ConformanceCase {
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

export const clientTroubles: readonly ConformanceCase[] = (Object.keys(TITLES) as Loss[]).flatMap((loss) => [
  submitting(loss),
  cancelling(loss),
  replaying(loss),
]);
