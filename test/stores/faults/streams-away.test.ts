import { setTimeout as sleep } from "node:timers/promises";
import type { App, Logger } from "@intermodal/core";
import { expect, vi } from "vitest";
import { numbers } from "../../faults/contracts.ts";
import { work } from "./contracts.ts";
import { FULL, onEachStore, sharedServer } from "./each-store.ts";
import { collect, namesOf, sequencesOf } from "./entries.ts";

const TASKS = FULL ? 1_000 : 100;
/** Of each run, so that an outage brings more events than wait for a store that is away. */
const NOTES = FULL ? 20 : 150;
/** What a handler does besides. */
const WORK_MS = 10;
const CONCURRENCY = 20;
/** What an outage may add to the median of a handler's time; of few tasks on a busy machine only so much that none can have waited for the store. */
const SLOWER = FULL ? { factor: 1.05, moreMs: 0 } : { factor: 1.5, moreMs: 100 };
const ENDED_MS = FULL ? 120_000 : 40_000;
const READ_MS = 10_000;
/** Of one outage: of the connection, of what is written, of what the ends of runs owe. */
const WARNINGS = 6;

/** A logger that keeps what an operator sees. */
class Lines implements Logger {
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  debug = () => {};
  info = (message: string) => void this.infos.push(message);
  warn = (message: string) => void this.warnings.push(message);
  error = this.warn;
}

/** What became of one batch of tasks. */
interface Batch {
  readonly ids: readonly string[];
  /** How long each handler took, by its own watch. */
  readonly handlerMs: number;
  readonly seconds: number;
}

/** Runs tasks one batch after the other, in this process, by handlers that time themselves. */
class Bench {
  readonly #app: App;
  readonly #tookMs: number[] = [];
  #batches = 0;

  constructor(app: App) {
    this.#app = app;
    app.handle(work, async ({ n, notes, waitMs }, ctx) => {
      const begun = performance.now();
      for (let note = 1; note <= notes; note++) ctx.emit("note", { note, text: "what a model says next" });
      await sleep(waitMs);
      this.#tookMs.push(performance.now() - begun);
      return { n, by: "bench", attempt: ctx.attempt };
    });
  }

  async run(): Promise<Batch> {
    const batch = ++this.#batches;
    const ids = numbers(TASKS).map((n) => `away-${batch}-${n}`);
    const begun = performance.now();
    this.#tookMs.length = 0;
    const tasks = await Promise.all(
      ids.map((id, n) => this.#app.submit(work, { n, notes: NOTES, waitMs: WORK_MS }, { id })),
    );
    await Promise.all(tasks.map((task) => task.result({ timeoutMs: ENDED_MS })));
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    expect(sorted).toHaveLength(TASKS);
    return { ids, handlerMs: sorted[TASKS >> 1] ?? 0, seconds: (performance.now() - begun) / 1_000 };
  }
}

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
    const bench = new Bench(app);
    await app.start();
    await bench.run();
    const calm = await bench.run();
    for (const id of calm.ids) expect(await historyOf(app, id)).toMatchObject({ last: NOTES + 2, ended: true });
    expect((await app.health()).lostRunEvents).toBe(0);
    expect(lines.warnings).toEqual([]);

    await stage.store.kill();
    const away = await bench.run();
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
    await vi.waitFor(() => expect(lines.infos.filter((line) => /stored again/.test(line))).toHaveLength(1), {
      timeout: ENDED_MS,
      interval: 100,
    });
    const back = await bench.run();
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
            `${when}: handlers ${handlerMs.toFixed(2)} ms (median), ${seconds.toFixed(1)} s in all`,
        ),
      ].join("\n  "),
    );
    expect(away.handlerMs).toBeLessThan(SLOWER.factor * Math.max(calm.handlerMs, back.handlerMs) + SLOWER.moreMs);
  },
);
