import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { numbers } from "../../faults/contracts.ts";
import { work } from "./contracts.ts";
import { FULL, onEachStore, shortLeases } from "./each-store.ts";
import { collect } from "./entries.ts";

const TASKS = FULL ? 20 : 3;
/** Long enough that the worker is frozen before its handlers are done; what is left of it passes once it is awake. */
const WAIT_MS = 1_000;
/** The task's own lease takes over from the broker's, so it may take both, and doubling. */
const TAKEN_OVER_MS = FULL ? 90_000 : 30_000;

onEachStore("a worker that was frozen for twice its lease changes nothing when it wakes up", {}, async (stage) => {
  const app = await stage.client();
  const leaseMs = stage.leaseMs({ shortLeases });
  const frozen = await stage.worker({ by: "frozen", concurrency: TASKS });
  const tasks = await Promise.all(
    numbers(TASKS).map((n) => app.submit(work, { n, notes: 1, waitMs: WAIT_MS }, { id: `frozen-${n}` })),
  );
  await vi.waitFor(() => expect(frozen.attempts("emitted")).toHaveLength(TASKS), { timeout: 10_000, interval: 10 });
  frozen.freeze();
  const frozenAt = performance.now();
  const other = await stage.worker({ by: "other", concurrency: TASKS });
  const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: TAKEN_OVER_MS })));
  expect(results).toEqual(numbers(TASKS).map((n) => ({ n, by: "other", attempt: 2 })));
  await sleep(Math.max(0, 2 * leaseMs - (performance.now() - frozenAt)));
  const streams = () => Promise.all(tasks.map((task) => collect(task.stream())));
  const statuses = () => Promise.all(tasks.map((task) => task.status()));
  // Nobody else is there any more, and nothing open, when it wakes up.
  await other.stop();
  const before = { records: await statuses(), entries: await streams() };
  frozen.unfreeze();
  // An orderly stop waits for its handlers, and for whatever they do to the tasks.
  await frozen.stop();
  expect(frozen.attempts("handled"), "it had more to do").toHaveLength(TASKS);
  expect({ records: await statuses(), entries: await streams() }).toEqual(before);
  expect(before.records.map(({ status, attempts }) => [status, attempts])).toEqual(tasks.map(() => ["COMPLETED", 2]));
  expect(
    frozen.told.filter(({ note }) => note === "completed"),
    "what it took for completed by itself",
  ).toEqual([]);
  expect(other.told.filter(({ note }) => note === "completed")).toHaveLength(TASKS);
});
