import type { ScheduleDefinition, ScheduleDraft, ScheduleRecord } from "@intermodal/core/ports";

/** How a schedule stands in its hash: see `lua/schedule-write.ts`. */
export type StoredSchedule = readonly [
  revision: string | null,
  definition: string | null,
  state: string | null,
  createdAt: string | null,
  updatedAt: string | null,
];

/** What changes as a schedule is fired, paused and resumed. */
type StateFields = Omit<ScheduleDraft, "revision" | "definition">;

export function stateOf({ revision: _, definition: __, ...state }: ScheduleDraft): string {
  return JSON.stringify(state satisfies StateFields);
}

/** `undefined` where there is none. */
export function scheduleOf(name: string, stored: StoredSchedule): ScheduleRecord | undefined {
  const [revision, definition, state, createdAt, updatedAt] = stored;
  if (revision === null) return undefined;
  return {
    ...(JSON.parse(state as string) as StateFields),
    name,
    revision,
    definition: JSON.parse(definition as string) as ScheduleDefinition,
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
  };
}
