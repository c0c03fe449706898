import { type App, NonRetryableError } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe, step } from "./contracts.ts";
import { atEachMoment, CrashPoints, type Moments } from "./crash-points.ts";
import { once, scene } from "./scene.ts";
import { lifecycleCase, RECOVERY_MS, World } from "./world.ts";

interface Replayed {
  readonly name: string;
  readonly title: string;
  readonly which: string;
  readonly root: typeof probe | typeof once;
  readonly ends: "DEAD_LETTER" | "COMPLETED_WITH_ERRORS";
}

/** `once` fails; `probe` has a sub-task whose own sub-task fails. */
const serving = (isMended: () => boolean) => (app: App) => {
  app.handle(once, ({ n }) => {
    if (!isMended()) throw new Error("broken");
    return n;
  });
  app.handle(step, async ({ n }, ctx) => {
    if (n > 0) await ctx.submit(step, { n: n - 1 }, { key: "below" });
    else if (!isMended()) throw new NonRetryableError("broken");
    return n;
  });
  app.handle(probe, async ({ n }, ctx) => {
    await ctx.submit(step, { n }, { key: "below" });
    return n;
  });
};

async function replayAndDie(parent: World, at: number, { which, root, ends }: Replayed): Promise<Moments> {
  const { t } = parent;
  const world = new World(t);
  const inNamespace = `${t.namespace}-${at}`;
  const passed: string[] = [];
  let mended = false;
  try {
    const { client, until, observer, record } = await scene(
      world,
      serving(() => mended),
      { inNamespace },
    );
    await client.submit(root, { n: 1 }, { id: "root" });
    await until("root", ends);
    await observer.untilAtRest();
    mended = true;
    const replayer = await world.process({ inNamespace });
    new CrashPoints(replayer, at, passed);
    let answered = false;
    const replayed = replayer.app.tasks.replay(which).then(() => {
      answered = true;
    });
    // The dead never answer; they are let go at the end.
    replayed.catch(() => {});
    await t.until("the replayer dies or is answered", () => replayer.isDead || answered, { withinMs: RECOVERY_MS });
    // What it began goes on without it; what it did not begin has not changed.
    await observer.untilAtRest();
    const { status } = await record("root");
    if (status !== "COMPLETED") {
      assert(replayer.isDead, `a replay that was answered ended as ${status}`);
      equal(status, ends, "the end without the replay");
      await client.tasks.replay(which);
      await until("root", "COMPLETED");
      await observer.untilAtRest();
    }
    const statuses = (await observer.records()).map((found) => found.status);
    equal(new Set(statuses), new Set(["COMPLETED"]), "how all end");
    await observer.assertEndedStream(await record("root"));
    return { passed };
  } finally {
    await world.close();
  }
}

const REPLAYED: readonly Replayed[] = [
  { name: "dead-letter", title: "a dead-lettered task", which: "root", root: once, ends: "DEAD_LETTER" },
  {
    name: "grandchild",
    title: "the failed sub-task of a sub-task",
    which: "root/below/below",
    root: probe,
    ends: "COMPLETED_WITH_ERRORS",
  },
];

export const replayCrashes: readonly ConformanceCase[] = REPLAYED.map((replayed) =>
  lifecycleCase({
    name: `replayer-dies-${replayed.name}`,
    guarantees: ["LC-15", "LC-1"],
    title: `whoever replays ${replayed.title} dies at each moment: all ends right, by itself or after another replay`,
    needs: ["kill"],
    run: (parent, t) => atEachMoment(t, "replayer killed", (at) => replayAndDie(parent, at, replayed)),
  }),
);
