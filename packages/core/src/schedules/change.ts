import type { Runtime } from "../app/runtime.ts";
import { IntermodalError } from "../errors.ts";
import type { ScheduleDraft, ScheduleRecord, ScheduleStore } from "../ports/schedule-store.ts";

/** A step of a schedule, on how it stands; `undefined` where nothing is to be written. */
export type ScheduleStep<Current extends ScheduleRecord | undefined> = (current: Current) => ScheduleDraft | undefined;

/** @throws `PORT_MISSING`. */
export function scheduleStoreOf(runtime: Runtime): ScheduleStore {
  // What is fired is a task: without a place for tasks there is nothing to fire.
  void runtime.store;
  const { scheduleStore } = runtime.ports;
  if (scheduleStore !== undefined) return scheduleStore;
  throw new IntermodalError(
    "PORT_MISSING",
    "schedules are kept where tasks are, and the store for tasks has no schedule store: set INTERMODAL_STATE (or `state` in createApp) to one that has",
  );
}

/**
 * Takes a step until it takes effect on what it was taken from: whoever comes between has made progress, so it ends.
 * @returns how the schedule stands then; `undefined` where it was removed.
 */
export async function change(
  store: ScheduleStore,
  current: ScheduleRecord,
  step: ScheduleStep<ScheduleRecord>,
): Promise<ScheduleRecord | undefined> {
  let standing: ScheduleRecord | undefined = current;
  while (standing !== undefined) {
    const schedule = step(standing);
    if (schedule === undefined) return standing;
    const [outcome] = await store.put([{ name: standing.name, expected: standing.revision, schedule }]);
    standing = outcome?.schedule;
    if (outcome?.written) break;
  }
  return standing;
}
