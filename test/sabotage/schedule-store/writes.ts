import type { ScheduleRecord, ScheduleStore, ScheduleWrite } from "@intermodal/core/ports";
import type { Break } from "./store.ts";

/** Every write, changed on what there is. */
async function changed(
  store: ScheduleStore,
  writes: readonly ScheduleWrite[],
  change: (write: ScheduleWrite, current: ScheduleRecord | undefined) => ScheduleWrite,
): Promise<readonly ScheduleWrite[]> {
  const { schedules } = await store.get(writes.map(({ name }) => name));
  return writes.map((write, at) => change(write, schedules[at]));
}

/** Broken promises about what is written and removed. */
export const WRITES: readonly Break[] = [
  [
    "writes on any revision",
    ["put", "put-repeated", "remove-stale", "batches"],
    (store) => ({
      put: async (writes) =>
        store.put(await changed(store, writes, (write, current) => ({ ...write, expected: current?.revision }))),
    }),
  ],
  [
    "writes on what was removed",
    ["put", "remove-stale"],
    (store) => ({
      put: async (writes) =>
        store.put(
          await changed(store, writes, (write, current) =>
            current === undefined ? { ...write, expected: undefined } : write,
          ),
        ),
    }),
  ],
  [
    "takes every other write of a race for written",
    ["put-race", "put"],
    (store) => ({
      put: async (writes) =>
        (await store.put(writes)).map((outcome, at) =>
          outcome.schedule === undefined ? outcome : { written: true, schedule: { ...outcome.schedule, fires: at } },
        ),
    }),
  ],
  [
    "refuses a write that it has written",
    ["put-repeated", "put-lost"],
    (store, { shared }) => ({
      put: async (writes) => {
        const repeated = writes.map(({ schedule: { revision } }) => shared.has(revision));
        for (const { schedule } of writes) shared.set(schedule.revision, true);
        const outcomes = await store.put(writes);
        return outcomes.map((outcome, at) => (repeated[at] ? { written: false, schedule: outcome.schedule } : outcome));
      },
    }),
  ],
  [
    "writes a repeated write again",
    ["put-repeated"],
    (store) => ({
      put: async (writes) =>
        store.put(
          await changed(store, writes, (write, current) =>
            current?.revision === write.schedule.revision
              ? {
                  ...write,
                  expected: current.revision,
                  schedule: { ...write.schedule, revision: `${current.revision}x` },
                }
              : write,
          ),
        ),
    }),
  ],
  ["answers in the order of names", ["batches"], (store) => ({ get: (names) => store.get(names.toSorted()) })],
  [
    "stamps no later write",
    ["times"],
    (store) => ({
      put: async (writes) =>
        (await store.put(writes)).map((outcome) =>
          outcome.written
            ? { written: true, schedule: { ...outcome.schedule, updatedAt: outcome.schedule.createdAt } }
            : outcome,
        ),
    }),
  ],
  [
    "keeps what it was given itself",
    ["snapshots"],
    (store, { shared }) => ({
      put: async (writes) => {
        for (const { schedule } of writes) shared.set(schedule.revision, schedule.definition);
        return store.put(writes);
      },
      get: async (names) => {
        const { schedules, ...reading } = await store.get(names);
        const given = (schedule: ScheduleRecord) => shared.get(schedule.revision) as ScheduleRecord["definition"];
        return {
          ...reading,
          schedules: schedules.map((schedule) => schedule && { ...schedule, definition: given(schedule) }),
        };
      },
    }),
  ],
  [
    "removes the first of a batch only",
    ["remove"],
    (store) => ({ remove: async (names) => store.remove(names.slice(0, 1)) }),
  ],
];
