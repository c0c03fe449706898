import type { App } from "@intermodal/core";
import { expect, vi } from "vitest";
import { numbers } from "../../faults/contracts.ts";
import { work } from "./contracts.ts";
import { FULL, onEachStore, sharedServer } from "./each-store.ts";
import { collect, namesOf, sequencesOf } from "./entries.ts";
import { Lines, median, TaskBatches } from "./task-batches.ts";

const TASKS = FULL ? 1_000 : 100;
/** Of each run, so that an outage brings more events than wait for a store that is away. */
const NOTES = FULL ? 20 : 150;
const CONCURRENCY = 20;
const ENDED_MS = FULL ? 120_000 : 40_000;
const READ_MS = 10_000;
/** Of one outage: of the connection, of what is written, of what the ends of runs owe. */
const WARNINGS = 6;

/** Asks for a run as HTTP clients do. */
async function ask(app: App, id: string, accept: string): Promise<Response> {
  return app.runStreamHandler()(new Request(`http://localhost/runs/${id}/events`, { headers: { accept } }));
}

async function historyOf(app: App, id: string): Promise<{ readonly last: number; readonly ended: boolean }> {
  const response = await ask(app, id, "application/json");
  expect(response.status).toBe(200);
  return (await response.json()) as { last: number; ended: boolean };
}

async function expectAway(app: App, id: string, accept: string): Promise<void> {
  const response = await ask(app, id, accept);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  expect(await response.json()).toMatchObject({ code: "UNAVAILABLE" });
}

onEachStore(
  "tasks complete while the store of the run streams is away",
  { ownStore: true, alone: true },
  async (stage) => {
    const lines = new Lines();
    const state = (await sharedServer(stage.storeKind)).url;
    const buses = { commands: "memory:", events: "memory:" };
    const app = await stage.client({ state, concurrency: CONCURRENCY }, { ...buses, logger: lines });
    const batches = new TaskBatches(app, { tasks: TASKS, notes: NOTES });
    await app.start();
    await batches.run();
    const calm = await batches.run();
    for (const id of calm.ids) expect(await historyOf(app, id)).toMatchObject({ last: NOTES + 2, ended: true });
    expect((await app.health()).lostRunEvents).toBe(0);
    expect(lines.warnings).toEqual([]);

    await stage.store.kill();
    const away = await batches.run();
    const [told = "", owing = ""] = [calm.ids[0], away.ids[0]];
    const asked = performance.now();
    await Promise.all([
      expect(collect(app.task(work, told).stream())).rejects.toMatchObject({ code: "UNAVAILABLE" }),
      ...[told, owing].flatMap((id) =>
        ["text/event-stream", "application/json"].map((accept) => expectAway(app, id, accept)),
      ),
    ]);
    expect(performance.now() - asked).toBeLessThan(READ_MS);
    const { lostRunEvents } = await app.health();
    expect(lostRunEvents).toBeGreaterThan(0);
    const warnings = lines.warnings.filter((line) => !line.includes("a reader"));
    expect(warnings.length, warnings.slice(0, 10).join("\n")).toBeLessThanOrEqual(WARNINGS);
    expect(warnings.filter((line) => /run streams cannot be reached/.test(line))).toHaveLength(1);
    expect(warnings.filter((line) => /being dropped/.test(line))).toHaveLength(1);

    await stage.store.start();
    await vi.waitFor(() => expect(lines.returns).toBe(1), {
      timeout: ENDED_MS,
      interval: 100,
    });
    const back = await batches.run();
    for (const id of back.ids.slice(0, 20)) {
      const entries = await collect(app.task(work, id).stream());
      expect(sequencesOf(entries)).toEqual(numbers(NOTES + 2, 1));
      expect(namesOf(entries).at(-1)).toBe("lifecycle.completed");
    }
    // The sweep ends the runs that ended meanwhile.
    const histories = await vi.waitFor(
      async () => {
        const found = await Promise.all(away.ids.map((id) => historyOf(app, id)));
        expect(found.filter(({ ended }) => !ended)).toEqual([]);
        return found;
      },
      { timeout: ENDED_MS, interval: 500 },
    );
    const stored = histories.reduce((sum, { last }) => sum + last - 1, 0);
    const { lostRunEvents: lost } = await app.health();
    expect(stored + lost, "each event is stored or counted").toBe(TASKS * (NOTES + 1));
    console.log(
      [
        `${stage.storeKind}: ${TASKS} tasks with ${NOTES} events each while their store is away: ${lost} events lost`,
        ...Object.entries({ before: calm, away, back }).map(
          ([when, { handlerMs, seconds }]) =>
            `${when}: handlers ${median(handlerMs).toFixed(2)} ms (median), ${seconds.toFixed(1)} s in all`,
        ),
      ].join("\n  "),
    );
  },
);
