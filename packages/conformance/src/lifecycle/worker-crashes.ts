import type { CaseContext, ConformanceCase } from "../case.ts";
import { atEachMoment, CrashPoints, type Moments } from "./crash-points.ts";
import type { Scenario } from "./crash-scenarios.ts";
import { FAMILIES } from "./family-scenarios.ts";
import { BRIDGE, ScenarioRun } from "./scenario-run.ts";
import { SINGLE } from "./single-scenarios.ts";
import { GRACE_MS, LEASE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

/** Another worker takes over at once, or at first only one that sweeps, and knows no handler; or the worker does not die but stops in good order. */
type Way = "worker" | "sweeper" | "stopped";

/** Runs a scenario with a worker that ends at one of its moments. @returns what the moments were. */
async function endAt(t: CaseContext, scenario: Scenario, at: number, way: Way): Promise<Moments> {
  const passed: string[] = [];
  await ScenarioRun.with(t, scenario, `${way}-${at}`, async (run) => {
    const { world, observer, victim, inNamespace, serve } = run;
    const stop = async () => void victim.app.stop({ timeoutMs: LEASE_MS });
    const points = new CrashPoints(victim, at, passed, way === "stopped" ? stop : undefined);
    await run.begin();
    const goesOn = async () => points.struck || ((await run.clientIsDone()) && (await observer.unrest()).length === 0);
    await t.until("the worker ends or all comes to rest", goesOn, { withinMs: RECOVERY_MS });
    if (points.struck) {
      if (way === "sweeper") await sweepFirst(t, run);
      await world.worker(serve, { inNamespace });
    }
    await run.assertEnd();
  });
  return { passed };
}

/** Has what the dead worker left swept by one that can do no more: enough where the task had ended. */
async function sweepFirst(t: CaseContext, run: ScenarioRun): Promise<void> {
  const { world, observer, inNamespace } = run;
  const ended = (await observer.record("root"))?.finishedAt !== undefined;
  await world.worker((app) => app.bridge(BRIDGE), { inNamespace });
  const swept = { withinMs: RECOVERY_MS };
  if (ended) await t.until("the sweep ends what the dead worker left", () => run.followerEnded, swept);
  else await t.sleep(3 * GRACE_MS);
}

const TITLES: Record<Way, string> = {
  worker: "dies at each moment, and another takes over",
  sweeper: "dies at each moment, and a sweep takes over, later another worker",
  stopped: "stops at each moment, and another takes over",
};

function endingCase(scenario: Scenario, way: Way): ConformanceCase {
  return lifecycleCase({
    name: way === "stopped" ? `worker-stops-${scenario.name}` : `worker-dies-${scenario.name}-${way}`,
    guarantees: ["LC-1", "LC-2", ...(way === "stopped" ? ["LC-18"] : []), ...scenario.guarantees],
    title: `a worker at ${scenario.title} ${TITLES[way]}: one end, announced once, told to followers`,
    ...(way !== "stopped" && { needs: ["kill"] as const }),
    run: (_, t) =>
      atEachMoment(t, `worker ${way === "stopped" ? "stopped" : "killed"}`, (at) => endAt(t, scenario, at, way)),
  });
}

export const workerCrashes: readonly ConformanceCase[] = [...SINGLE, ...FAMILIES].flatMap((scenario) =>
  (Object.keys(TITLES) as Way[]).map((way) => endingCase(scenario, way)),
);
