import { jsonEqual } from "../lifecycle/json-equal.ts";
import type { JsonValue } from "../ports/json.ts";
import type {
  ScheduleDefinition,
  ScheduleDraft,
  ScheduleRecord,
  ScheduleState,
  ScheduleTiming,
} from "../ports/schedule-store.ts";
import { newId } from "../wire/ids.ts";
import { dueAfter, firstDue } from "./timing.ts";

/**
 * The steps of a schedule, as pure functions of what was read: each gives what is to be written, or `undefined` where nothing is to be. A step that is repeated, since its
 * answer was lost or another write came between, does no more than it did.
 */

/** A definition takes effect. One that is the same changes nothing; where the timing is the same, the due time stays, so that a deployment neither misses nor repeats one. */
export function registered(
  current: ScheduleRecord | undefined,
  definition: ScheduleDefinition,
  now: number,
): ScheduleDraft | undefined {
  if (current === undefined) return { ...fresh("running", definition), fires: 0, nextAt: beginning(definition, now) };
  if (same(current.definition, definition)) return undefined;
  const { state, definition: before } = current;
  const keepsTime = same(before.timing, definition.timing) && before.enabled === definition.enabled;
  const nextAt = keepsTime ? current.nextAt : state === "stopped" ? undefined : beginning(definition, now, current);
  return { ...kept(current), ...fresh(state, definition), nextAt };
}

/** It counts from now on; what was due while it did not run is forgotten. */
export function started(current: ScheduleRecord, now: number): ScheduleDraft | undefined {
  if (current.state === "running") return undefined;
  const { definition } = current;
  const first = definition.enabled ? firstDue(definition.timing, now) : undefined;
  const nextAt = first !== undefined && first > now ? first : undefined;
  return { ...kept(current), ...fresh("running", definition), nextAt };
}

/** It is due no more, and forgets when it would have been. */
export function stopped(current: ScheduleRecord): ScheduleDraft | undefined {
  if (current.state === "stopped") return undefined;
  return { ...kept(current), ...fresh("stopped", current.definition), nextAt: undefined };
}

/** It is fired no more, but keeps its due time. A stopped one stays stopped. */
export function paused(current: ScheduleRecord): ScheduleDraft | undefined {
  if (current.state !== "running") return undefined;
  return { ...kept(current), ...fresh("paused", current.definition) };
}

/** It goes on where it was paused; what was missed meanwhile is dealt with as its definition says. */
export function resumed(current: ScheduleRecord): ScheduleDraft | undefined {
  if (current.state !== "paused") return undefined;
  return { ...kept(current), ...fresh("running", current.definition) };
}

/** The latest of the due times that have come is to be dealt with in place of the earlier ones, unless somebody else has moved the schedule on. */
export function advanced(current: ScheduleRecord, seen: ScheduleRecord, due: number): ScheduleDraft | undefined {
  if (due === seen.nextAt || !standsAt(current, seen)) return undefined;
  return { ...kept(current), ...fresh(current.state, current.definition), nextAt: due };
}

/** What somebody did about a due time. */
export interface Firing {
  /** The schedule as it was then; its `nextAt` had come. */
  readonly seen: ScheduleRecord;
  /** The due time it was done for: that one, or the latest that had come too. */
  readonly due: number;
  /** What came of it; `undefined` where it was passed over. */
  readonly taskId: string | undefined;
  /** By the store's clock. */
  readonly now: number;
}

/** A due time was dealt with: notes it, and moves the schedule on, unless somebody else has, or it has got another timing since. */
export function fired(current: ScheduleRecord, { seen, due, taskId, now }: Firing): ScheduleDraft | undefined {
  const movesOn = standsAt(current, seen);
  const isNews = taskId !== undefined && isUnnoted(current, seen, due);
  if (!movesOn && !isNews) return undefined;
  return {
    ...kept(current),
    ...fresh(current.state, current.definition),
    ...(movesOn && { nextAt: dueAfter(current.definition.timing, due, now) }),
    ...(isNews && { lastDueAt: due, lastFiredAt: now, lastTaskId: taskId, fires: current.fires + 1 }),
  };
}

/** Nobody has dealt with the due time that was seen, and it has not got another timing since. */
function standsAt(current: ScheduleRecord, seen: ScheduleRecord): boolean {
  return current.nextAt === seen.nextAt && same(current.definition.timing, seen.definition.timing);
}

/** A due time before the one noted last is news only where none was noted since it was seen: it came of another timing, or of a clock that was set back. */
function isUnnoted({ lastDueAt }: ScheduleRecord, seen: ScheduleRecord, due: number): boolean {
  if (lastDueAt === undefined || lastDueAt < due) return true;
  return lastDueAt !== due && lastDueAt === seen.lastDueAt;
}

/** The first due time of a definition. One that is past, which only `at` has, counts as missed, unless it was fired. */
function beginning(definition: ScheduleDefinition, now: number, before?: ScheduleRecord): number | undefined {
  if (!definition.enabled) return undefined;
  const first = firstDue(definition.timing, now);
  return first !== undefined && first === before?.lastDueAt ? undefined : first;
}

function fresh(state: ScheduleState, definition: ScheduleDefinition) {
  return { revision: newId(), state, definition };
}

function kept({ nextAt, lastDueAt, lastFiredAt, lastTaskId, fires }: ScheduleRecord) {
  return { nextAt, lastDueAt, lastFiredAt, lastTaskId, fires };
}

function same(a: ScheduleDefinition | ScheduleTiming, b: ScheduleDefinition | ScheduleTiming): boolean {
  return jsonEqual({ ...a } as JsonValue, { ...b } as JsonValue);
}
