import { expect, vi } from "vitest";
import { numbers } from "../../faults/contracts.ts";
import { work } from "./contracts.ts";
import { FULL, onEachStore, sharedServer } from "./each-store.ts";
import { collect, namesOf, sequencesOf } from "./entries.ts";
import { Lines, TaskBatches } from "./task-batches.ts";

/** More events than wait for a store that is away. */
const AWAY = FULL ? { tasks: 1_000, notes: 20 } : { tasks: 100, notes: 150 };
/** So few that any store takes them at once. */
const WELL = { tasks: 20, notes: 20 };
const CONCURRENCY = 20;
const ENDED_MS = FULL ? 120_000 : 40_000;
const READ_MS = 10_000;
/** Of one outage: of the connection, of what is written, of what the ends of runs owe, of readers. */
const WARNINGS = 7;

/** Answers HTTP clients. */
type Handler = (request: Request) => Promise<Response>;

async function ask(handler: Handler, id: string, accept: string): Promise<Response> {
  return handler(new Request(`http://localhost/runs/${id}/events`, { headers: { accept } }));
}

async function historyOf(handler: Handler, id: string): Promise<{ readonly last: number; readonly ended: boolean }> {
  const response = await ask(handler, id, "application/json");
  expect(response.status).toBe(200);
  return (await response.json()) as { last: number; ended: boolean };
}

async function expectAway(handler: Handler, id: string, accept: string): Promise<void> {
  const response = await ask(handler, id, accept);
  if (accept === "text/event-stream") {
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^event: unavailable\ndata: .*"UNAVAILABLE"/m);
    return;
  }
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
    const handler = app.runStreamHandler();
    const batches = new TaskBatches(app);
    const expectWhole = async (ids: readonly string[]) => {
      for (const id of ids) {
        const entries = await collect(app.task(work, id).stream());
        expect(sequencesOf(entries)).toEqual(numbers(WELL.notes + 2, 1));
        expect(namesOf(entries).at(-1)).toBe("lifecycle.completed");
      }
    };
    await app.start();
    const calm = await batches.run(WELL);
    await expectWhole(calm.ids);
    expect((await app.health()).lostRunEvents).toBe(0);
    expect(lines.warnings).toEqual([]);

    await stage.store.kill();
    const away = await batches.run(AWAY);
    const [told = "", owing = ""] = [calm.ids[0], away.ids[0]];
    const asked = performance.now();
    await Promise.all([
      expect(collect(app.task(work, told).stream())).rejects.toMatchObject({ code: "UNAVAILABLE" }),
      ...[told, owing].flatMap((id) =>
        ["text/event-stream", "application/json"].map((accept) => expectAway(handler, id, accept)),
      ),
    ]);
    expect(performance.now() - asked).toBeLessThan(READ_MS);
    const { lostRunEvents } = await app.health();
    expect(lostRunEvents).toBeGreaterThan(0);
    const { warnings } = lines;
    expect(warnings.length, warnings.slice(0, 10).join("\n")).toBeLessThanOrEqual(WARNINGS);
    expect(warnings.filter((line) => /run streams cannot be reached/.test(line))).toHaveLength(1);
    expect(warnings.filter((line) => /being dropped/.test(line))).toHaveLength(1);
    expect(warnings.filter((line) => /runs cannot be read/.test(line))).toHaveLength(1);

    await stage.store.start();
    await vi.waitFor(() => expect(lines.returns).toBe(1), { timeout: ENDED_MS, interval: 100 });
    await expectWhole((await batches.run(WELL)).ids);
    // The sweep ends the runs that ended meanwhile.
    const histories = await vi.waitFor(
      async () => {
        const found = await Promise.all(away.ids.map((id) => historyOf(handler, id)));
        expect(found.filter(({ ended }) => !ended)).toEqual([]);
        return found;
      },
      { timeout: ENDED_MS, interval: 500 },
    );
    const stored = histories.reduce((sum, { last }) => sum + last - 1, 0);
    const { lostRunEvents: lost } = await app.health();
    expect(stored + lost, "each event is stored or counted").toBe(AWAY.tasks * (AWAY.notes + 1));
    console.log(
      `${stage.storeKind}: ${AWAY.tasks} tasks with ${AWAY.notes} events each completed in ${away.seconds.toFixed(1)} s while their store was away: ${lost} events lost`,
    );
  },
);
