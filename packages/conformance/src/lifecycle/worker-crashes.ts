import type { App } from "@intermodal/core";
import { AssertionError, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe } from "./contracts.ts";
import { CrashPoints, chosen } from "./crash-points.ts";
import type { Scenario } from "./crash-scenarios.ts";
import * as scenarios from "./crash-scenarios.ts";
import { follow, Observer } from "./observer.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS, World } from "./world.ts";

/** Who takes over: another worker at once, or at first only one that sweeps, and knows no handler. */
type Heir = "worker" | "sweeper";

const BRIDGE = { notifications: ["completed", "failed"] } as const;

/** Runs a scenario with a worker that dies at one of its moments. @returns what the moments were. */
async function crashAt(parent: World, scenario: Scenario, at: number, heir: Heir): Promise<CrashPoints> {
  const { t } = parent;
  const world = new World(t);
  const inNamespace = `${t.namespace}-${heir}-${at}`;
  const runs: string[] = [];
  const serve = (app: App) => {
    app.bridge(BRIDGE);
    scenario.serve(app, runs);
  };
  try {
    const observer = new Observer(t, await world.open(inNamespace));
    await observer.listen();
    const client = await world.process({ inNamespace });
    const victim = await world.process({ inNamespace, serve });
    const points = new CrashPoints(victim, at);
    const { id } = await client.app.submit(probe, { n: 1 }, { id: "root" });
    const follower = follow(client.app, id);
    // It may die before it has started.
    victim.app.start().catch(() => {});
    let meanwhile = scenario.meanwhile === undefined;
    const goesOn = async () => {
      meanwhile ||= (await scenario.meanwhile?.(client.app, id, runs)) ?? true;
      return victim.isDead || (meanwhile && (await observer.unrest()).length === 0);
    };
    await t.until("the worker dies or all comes to rest", goesOn, { withinMs: RECOVERY_MS });
    if (victim.isDead && heir === "sweeper") {
      const ended = (await observer.record(id))?.finishedAt !== undefined;
      await world.worker((app) => app.bridge(BRIDGE), { inNamespace });
      if (ended)
        await t.until("the sweep ends what the dead worker left", () => follower.ended(), { withinMs: RECOVERY_MS });
      else await t.sleep(3 * GRACE_MS);
    }
    if (victim.isDead) await world.worker(serve, { inNamespace });
    if (!meanwhile)
      await t.until(
        "the client has done its part",
        async () => (await scenario.meanwhile?.(client.app, id, runs)) ?? true,
        { withinMs: RECOVERY_MS },
      );
    await assertEnd(t, scenario, observer, { id, runs, follower });
    return points;
  } finally {
    await world.close();
  }
}

async function assertEnd(
  t: World["t"],
  scenario: Scenario,
  observer: Observer,
  { id, runs, follower }: { id: string; runs: readonly string[]; follower: ReturnType<typeof follow> },
): Promise<void> {
  const { status, result, children } = scenario.expected;
  await observer.untilAtRest();
  const root = await observer.record(id);
  equal({ status: root?.status, result: root?.result }, { status, result }, "how the task ended");
  equal(Object.keys(root?.children ?? {}).sort(), children, "its sub-tasks");
  const succeeded = status === "COMPLETED";
  const records = await observer.records();
  equal(records.length, 1 + children.length, "records");
  equal([...new Set(records.map((record) => record.status))], [status], "how they all ended");
  if (root !== undefined) await observer.assertEndedStream(root);
  await t.until("the follower ends", () => follower.ended() || follower.failure() !== undefined, {
    withinMs: RECOVERY_MS,
  });
  equal(follower.failure(), undefined, "the follower's error");
  const announcement = `.1.${succeeded ? "completed" : "failed"}`;
  observer.assertAnnounced(records.map((record) => `${record.id}${announcement}`));
  equal((await observer.deadLetters()).length, status === "FAILED" ? 1 : 0, "dead letters");
  const ran = runs.length;
  await observer.assertStays(4 * GRACE_MS);
  equal(runs.length, ran, "runs after the end");
}

function crashCase(scenario: Scenario, heir: Heir): ConformanceCase {
  const after = heir === "worker" ? "another takes over" : "a sweep takes over, and later another worker";
  return lifecycleCase({
    name: `worker-dies-${scenario.name}-${heir}`,
    guarantees: ["LC-1", "LC-2", "LC-12", "LC-13", "LC-16"],
    title: `${scenario.name}: a worker dies at each moment between claim and acknowledgement, ${after}: one end, announced once`,
    needs: ["kill"],
    async run(world, t) {
      const { passed } = await crashAt(world, scenario, 0, heir);
      for (const at of chosen(t, passed.length)) {
        try {
          await crashAt(world, scenario, at, heir);
        } catch (error) {
          if (!(error instanceof AssertionError)) throw error;
          const moment = `worker killed at moment ${at} of ${passed.length}, about "${passed[at - 1]}"`;
          throw new AssertionError(`${moment}: ${error.message}`, error.showDiff ? error : undefined);
        }
      }
    },
  });
}

const ALL = [
  scenarios.plain,
  scenarios.retried,
  scenarios.parent,
  scenarios.workflow,
  scenarios.refused,
  scenarios.cancelled,
];

export const workerCrashes: readonly ConformanceCase[] = ALL.flatMap((scenario) => [
  crashCase(scenario, "worker"),
  crashCase(scenario, "sweeper"),
]);
