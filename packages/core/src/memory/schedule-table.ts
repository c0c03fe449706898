import type { ScheduleOutcome, ScheduleRecord, ScheduleWrite } from "../ports/schedule-store.ts";

/** A running schedule with a due time. */
type Timed = ScheduleRecord & { readonly nextAt: number };

/** The schedules of one namespace. A record is never changed, only replaced. */
export class ScheduleTable {
  readonly #schedules = new Map<string, ScheduleRecord>();

  get(name: string): ScheduleRecord | undefined {
    return this.#schedules.get(name);
  }

  put({ name, expected, schedule }: ScheduleWrite, now: number): ScheduleOutcome {
    const current = this.#schedules.get(name);
    if (current !== undefined && current.revision === schedule.revision) return { written: true, schedule: current };
    if (current?.revision !== expected) return { written: false, schedule: current };
    const record = { ...schedule, name, createdAt: current?.createdAt ?? now, updatedAt: now };
    this.#schedules.set(name, record);
    return { written: true, schedule: record };
  }

  remove(name: string): void {
    this.#schedules.delete(name);
  }

  /** By name, from after `name`. */
  after(name: string | undefined): readonly ScheduleRecord[] {
    const all = [...this.#schedules.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return name === undefined ? all : all.filter((schedule) => schedule.name > name);
  }

  /** Running schedules with a due time, the earliest first. */
  timed(): readonly Timed[] {
    return [...this.#schedules.values()].filter(isTimed).sort(compareTimes);
  }
}

function isTimed(schedule: ScheduleRecord): schedule is Timed {
  return schedule.state === "running" && schedule.nextAt !== undefined;
}

/** By due time, then name. */
export function compareTimes(
  a: { readonly nextAt: number; readonly name: string },
  b: { readonly nextAt: number; readonly name: string },
): number {
  if (a.nextAt !== b.nextAt) return a.nextAt - b.nextAt;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
