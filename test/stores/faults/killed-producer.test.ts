import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type App, type RunEntry, toNodeHandler } from "@intermodal/core";
import { followRun } from "@intermodal/core/client";
import { expect, vi } from "vitest";
import { numbers } from "../../faults/contracts.ts";
import { work } from "./contracts.ts";
import { FULL, onEachStore } from "./each-store.ts";
import { collect, namesOf, sequencesOf } from "./entries.ts";
import type { StoreStage } from "./stage.ts";

const RUNS = FULL ? 20 : 3;
const NOTES = FULL ? 200 : 40;
const EVERY_MS = 25;
/** Of each run's events, when its worker dies. */
const WRITTEN = NOTES / 4;
/** What the dead worker held comes back after the broker's and the task's lease. */
const OVER_MS = FULL ? 120_000 : 30_000;
const TERMINAL = ["lifecycle.completed", "lifecycle.failed"];

/** Serves the runs of an app until the case ends. @returns the URL of a run's events. */
async function serve(stage: StoreStage, app: App): Promise<(id: string) => string> {
  const server = createServer(toNodeHandler(app.runStreamHandler()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stage.atEnd(async () => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return (id) => `http://127.0.0.1:${port}/runs/${id}/events`;
}

onEachStore("the producer of a run is killed in mid-run, and another worker retries it", {}, async (stage) => {
  const app = await stage.client();
  const urlOf = await serve(stage, app);
  const ids = numbers(RUNS).map((n) => `killed-${n}`);
  const victim = await stage.worker({ by: "victim", concurrency: RUNS });
  await Promise.all(
    ids.map((id, n) => app.submit(work, { n, notes: NOTES, everyMs: EVERY_MS, endless: true }, { id })),
  );
  const reader = stage.reader(ids);
  const overHttp = ids.map((): RunEntry[] => []);
  const following = ids.map(async (id, n) => {
    for await (const entry of followRun(urlOf(id))) overHttp[n]?.push(entry);
  });
  const soFar = () => [...ids.map((id) => reader.entriesOf(id)), ...overHttp.map((entries) => [...entries])];
  await vi.waitFor(() => expect(Math.min(...soFar().map(({ length }) => length))).toBeGreaterThan(WRITTEN), {
    timeout: OVER_MS,
    interval: 10,
  });
  await victim.kill();
  const seen = soFar();
  const heir = await stage.worker({ by: "heir", concurrency: RUNS });
  const over = Promise.all([reader.over(), ...following]);
  const results = await Promise.all(ids.map((id) => app.task(work, id).result({ timeoutMs: OVER_MS })));
  expect(results).toEqual(ids.map((_, n) => ({ n, by: "heir", attempt: 2 })));
  await over;
  expect(heir.attempts("started")).toHaveLength(RUNS);

  const histories = await Promise.all(ids.map((id) => collect(app.task(work, id).stream())));
  for (const [at, entries] of soFar().entries()) {
    const history = histories[at % RUNS] ?? [];
    expect(entries.slice(0, seen[at]?.length), "what was read stays").toEqual(seen[at]);
    expect(entries, "every reader reads the same").toEqual(history);
  }
  for (const history of histories) {
    expect(sequencesOf(history)).toEqual(numbers(history.length, 1));
    const names = namesOf(history);
    expect(names.filter((name) => TERMINAL.includes(name))).toEqual(["lifecycle.completed"]);
    expect(TERMINAL).toContain(names.at(-1));
    const notes = (attempt: number) =>
      history.flatMap((entry) => {
        if ("gap" in entry || entry.name !== "note") return [];
        const data = entry.data as { readonly attempt: number; readonly note: number };
        return data.attempt === attempt ? [data.note] : [];
      });
    // The last ones of the dead worker had not been written yet: none is missing between those that were.
    expect(notes(1)).toEqual(numbers(notes(1).length, 1));
    expect(notes(1).length).toBeGreaterThanOrEqual(WRITTEN);
    expect(notes(2)).toEqual(numbers(NOTES, 1));
    expect(names.filter((name) => name === "lifecycle.started")).toHaveLength(2);
  }
});
