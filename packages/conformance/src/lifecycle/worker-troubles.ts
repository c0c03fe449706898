import type { CaseContext, ConformanceCase } from "../case.ts";
import { atEachMoment, type Moments } from "./crash-points.ts";
import type { Scenario } from "./crash-scenarios.ts";
import { FAMILIES } from "./family-scenarios.ts";
import { ScenarioRun } from "./scenario-run.ts";
import { SINGLE } from "./single-scenarios.ts";
import { type Trouble, Troubled } from "./trouble.ts";
import { lifecycleCase } from "./world.ts";

/** Runs a scenario with a worker that has trouble at one of its moments, and gets over it by itself. */
async function troubleAt(t: CaseContext, scenario: Scenario, at: number, trouble: Trouble): Promise<Moments> {
  const passed: string[] = [];
  await ScenarioRun.with(t, scenario, `${trouble}-${at}`, async (run) => {
    new Troubled(t, run.victim, { at, trouble, passed });
    await run.begin();
    await run.assertEnd();
  });
  return { passed };
}

const TITLES: Record<Trouble, string> = {
  refused: "one call finds the server away",
  lost: "the answer of one call is lost",
  outage: "every server is away for longer than the leases",
  cut: "its connection is cut for longer than the leases",
};

function troubleCase(scenario: Scenario, trouble: Trouble): ConformanceCase {
  return lifecycleCase({
    name: `worker-${trouble}-${scenario.name}`,
    guarantees: ["LC-1", "LC-2", "LC-9", ...scenario.guarantees],
    title: `from each moment of ${scenario.title} on, ${TITLES[trouble]}: one end, announced once, told to followers`,
    ...(trouble === "cut" && { needs: ["cut", "mend"] as const }),
    run: (_, t) => atEachMoment(t, trouble, (at) => troubleAt(t, scenario, at, trouble)),
  });
}

export const workerTroubles: readonly ConformanceCase[] = [...SINGLE, ...FAMILIES].flatMap((scenario) =>
  (Object.keys(TITLES) as Trouble[]).map((trouble) => troubleCase(scenario, trouble)),
);
