import type { Logger } from "../ports/logger.ts";
import type { ScheduleDefinition, ScheduleRecord, ScheduleStore, ScheduleWrite } from "../ports/schedule-store.ts";
import type { DeclaredSchedule } from "./definition.ts";
import { registered } from "./steps.ts";

/**
 * Lets definitions take effect: what is new begins, what is the same goes on, what has changed is replaced. The latest registration stands.
 * @throws what store and validators throw. Repeating it is safe.
 */
export async function register(
  store: ScheduleStore,
  declared: readonly DeclaredSchedule[],
  logger: Logger,
): Promise<void> {
  await Promise.all(declared.map(({ checked }) => checked));
  const { now, schedules } = await store.get(declared.map(({ name }) => name));
  let open = declared.map(({ name, definition }, index) => ({ name, definition, current: schedules[index] }));
  for (const { name, definition, current } of open) {
    if (current === undefined || current.definition.type === definition.type) continue;
    logger.warn("a schedule gets another task; do two apps of the namespace use one name?", {
      schedule: name,
      task: definition.type,
      before: current.definition.type,
    });
  }
  while (open.length > 0) {
    const writes = open.flatMap((entry) => writeOf(entry, now));
    if (writes.length === 0) return;
    const outcomes = await store.put(writes);
    // Somebody came between: once more, on how it stands now.
    open = writes.flatMap(({ name, schedule: { definition } }, index) => {
      const outcome = outcomes[index];
      return outcome === undefined || outcome.written ? [] : [{ name, definition, current: outcome.schedule }];
    });
  }
}

function writeOf(
  entry: {
    readonly name: string;
    readonly definition: ScheduleDefinition;
    readonly current: ScheduleRecord | undefined;
  },
  now: number,
): readonly ScheduleWrite[] {
  const schedule = registered(entry.current, entry.definition, now);
  return schedule === undefined ? [] : [{ name: entry.name, expected: entry.current?.revision, schedule }];
}
