import type { ScheduleDefinition, ScheduleRecord } from "../ports/schedule-store.ts";

/** A schedule to look at: what it is to do and how it stands, from one query. Times are milliseconds since the epoch. */
export interface ScheduleSnapshot {
  readonly name: string;
  /** Configuration: nothing that happens changes it. */
  readonly definition: ScheduleDefinition;
  readonly state: {
    /** `ended`: it runs, and is never due again. */
    readonly status: "running" | "paused" | "stopped" | "ended";
    /** The due time that comes next; of a paused one, the one it was paused before. */
    readonly nextAt: number | undefined;
    /** The latest due time that was fired, when that was, and the task that came of it. */
    readonly lastDueAt: number | undefined;
    readonly lastFiredAt: number | undefined;
    readonly lastTaskId: string | undefined;
    /** How many due times were fired. */
    readonly fires: number;
    readonly createdAt: number;
    readonly updatedAt: number;
  };
}

export function snapshotOf(schedule: ScheduleRecord): ScheduleSnapshot {
  const { name, definition, state, nextAt, lastDueAt, lastFiredAt, lastTaskId, fires, createdAt, updatedAt } = schedule;
  const hasEnded = state === "running" && definition.enabled && nextAt === undefined;
  const status = hasEnded ? "ended" : state;
  return {
    name,
    definition,
    state: { status, nextAt, lastDueAt, lastFiredAt, lastTaskId, fires, createdAt, updatedAt },
  };
}
