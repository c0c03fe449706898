import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { distinct } from "../../faults/actor-process.ts";
import { numbers } from "../../faults/contracts.ts";
import { Sendings } from "../../faults/sendings.ts";
import { work } from "./contracts.ts";
import { FULL, onEachStore } from "./each-store.ts";
import { collect, namesOf, sequencesOf } from "./entries.ts";

/** Before, while and after the store is away. */
const TASKS = FULL ? [500, 100, 400] : [30, 10, 20];
const OUTAGE_MS = FULL ? 30_000 : 3_000;
/** From when the store answers again until all has ended: what has a lease waits for it, what was given up for the sweep. */
const BACK_MS = FULL ? 120_000 : 40_000;
/** So that some are running, some waiting and some ended whenever it happens. */
const LONGEST_MS = 500;
const CONCURRENCY = FULL ? 50 : 10;
/** Submits of the moment in which the store goes. */
const IN_DOUBT = 5;
const TERMINAL = ["lifecycle.completed", "lifecycle.failed"];

onEachStore("the state store is killed in mid-run and restarted on its data", { ownStore: true }, async (stage) => {
  const app = await stage.client();
  const workers = await Promise.all(["one", "two"].map((by) => stage.worker({ by, concurrency: CONCURRENCY })));
  const idOf = (n: number) => `away-${n}`;
  const submit = async (n: number) => {
    await app.submit(work, { n, notes: 2, waitMs: Math.floor(Math.random() * LONGEST_MS) }, { id: idOf(n) });
  };
  const submits = new Sendings(submit);
  let last = 0;
  const begin = async (count: number, everyMs: number) => {
    for (let begun = 0; begun < count; begun++, await sleep(everyMs)) submits.begin(last++);
  };
  const [before = 0, during = 0, after = 0] = TASKS;
  await begin(before, 5);
  await stage.store.kill();
  await begin(during, OUTAGE_MS / during);
  await stage.store.start();
  const startedAt = performance.now();
  await vi.waitFor(() => app.connect(), { timeout: BACK_MS, interval: 20 });
  const backMs = Math.round(performance.now() - startedAt);
  await begin(after, 5);
  await submits.over();
  expect(submits.errors.filter(({ code }) => code !== "UNAVAILABLE")).toEqual([]);
  expect(submits.taken.length).toBeGreaterThanOrEqual(before + after - IN_DOUBT);

  // Whoever was not told what became of a submit repeats it with the same id.
  const refused = new Set(submits.refused);
  const wanted = numbers(last).filter((n) => !refused.has(n));
  const taken = new Set(submits.taken);
  for (const n of wanted.filter((n) => !taken.has(n))) await submit(n);
  const tasks = wanted.map((n) => app.task(work, idOf(n)));
  const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: BACK_MS })));
  expect(results.map(({ n }) => n)).toEqual(wanted);

  const handled = workers.flatMap((worker) => worker.attempts("handled"));
  expect(distinct(handled.map(({ n }) => n))).toEqual(wanted);
  // Duties of those that ended while it went are done by the sweep.
  await vi.waitFor(
    async () => {
      const ends = workers.flatMap(({ told }) => told.flatMap((one) => (one.note === "completed" ? [one.id] : [])));
      expect(ends.sort()).toEqual(wanted.map(idOf).sort());
      const open = (await Promise.all(tasks.map((task) => task.status()))).filter(({ expiresAt }) => !expiresAt);
      expect(open).toEqual([]);
    },
    { timeout: BACK_MS, interval: 500 },
  );
  for (const task of tasks) {
    const entries = await collect(task.stream());
    expect(sequencesOf(entries)).toEqual(numbers(entries.length, 1));
    expect(namesOf(entries).filter((name) => TERMINAL.includes(name))).toEqual(["lifecycle.completed"]);
  }
  const again = handled.length - wanted.length;
  console.log(
    `${stage.storeKind}: back after ${backMs} ms; ${wanted.length} tasks ended once each, ${submits.refused.length} submits were refused, ${again} handlers ran again`,
  );
});
