import {
  answersOf,
  decodeCursor,
  encodeCursor,
  limitOf,
  type Tried,
  takePayload,
  tryEach,
} from "@intermodal/core/adapter";
import {
  type DueSchedules,
  IntermodalError,
  type JsonValue,
  type Page,
  type PageOptions,
  type ScheduleDefinition,
  type ScheduleOutcome,
  type ScheduleReading,
  type ScheduleRecord,
  type ScheduleStore,
  type ScheduleStoreCapabilities,
  type ScheduleWrite,
} from "@intermodal/core/ports";
import { type DuePlace, MAX_BATCH, ScheduleTable } from "./schedule-table.ts";
import type { Session } from "./session.ts";

const MAX_DEFINITION_BYTES = 1_048_576;

/** Schedules in Redis. Every write is one script that takes effect only on the revision it expects, by the server's clock. */
export class RedisScheduleStore implements ScheduleStore {
  readonly capabilities: ScheduleStoreCapabilities = { maxDefinitionBytes: MAX_DEFINITION_BYTES };
  readonly #table: ScheduleTable;

  constructor(session: Session) {
    this.#table = new ScheduleTable(session);
  }

  /** At one moment. */
  get(names: readonly string[]): Promise<ScheduleReading> {
    return this.#table.read(names);
  }

  async put(writes: readonly ScheduleWrite[]): Promise<readonly ScheduleOutcome[]> {
    const taken = tryEach(writes, take);
    const accepted = taken.filter((write) => !(write instanceof IntermodalError)) as readonly ScheduleWrite[];
    const outcomes = await this.#table.write(accepted);
    const answers = outcomes.values();
    return answersOf(taken.map((write) => (write instanceof IntermodalError ? write : next(answers))));
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#table.remove(names);
  }

  async list(options: PageOptions = {}): Promise<Page<ScheduleRecord>> {
    const limit = limitOf(options);
    const { cursor } = options;
    let [after] = cursor === undefined ? [] : (decodeCursor(cursor, ["string"]) as [string]);
    const items: ScheduleRecord[] = [];
    // One more than asked for: it tells whether there are more.
    while (items.length <= limit) {
      const count = Math.min(MAX_BATCH, limit + 1 - items.length);
      const part = await this.#table.list(after, count);
      items.push(...part);
      if (part.length < count) break;
      after = part.at(-1)?.name;
    }
    return pageOf(items, limit, ({ name }) => [name]);
  }

  async due(options: PageOptions = {}): Promise<DueSchedules> {
    const limit = limitOf(options);
    const items: ScheduleRecord[] = [];
    let place = placeOf(options.cursor);
    for (;;) {
      const count = Math.min(MAX_BATCH, limit + 1 - items.length);
      const part = await this.#table.due(place, count);
      items.push(...part.items);
      const last = part.items.at(-1);
      if (last === undefined || part.items.length < count || items.length > limit) {
        const page = pageOf(items, limit, ({ nextAt = 0, name }) => [nextAt, name]);
        return { ...page, now: part.now, nextAt: part.nextAt };
      }
      place = { nextAt: last.nextAt ?? 0, name: last.name };
    }
  }
}

/** @throws `PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`. */
function take(write: ScheduleWrite): ScheduleWrite {
  const { schedule } = write;
  const definition = takePayload(schedule.definition as unknown as JsonValue, MAX_DEFINITION_BYTES, "definition");
  return { ...write, schedule: { ...schedule, definition: definition as unknown as ScheduleDefinition } };
}

function next(outcomes: Iterator<Tried<ScheduleOutcome>>): Tried<ScheduleOutcome> {
  return outcomes.next().value as Tried<ScheduleOutcome>;
}

/** @throws `CURSOR_INVALID`. */
function placeOf(cursor: string | undefined): DuePlace {
  if (cursor === undefined) return { nextAt: Number.NEGATIVE_INFINITY, name: "" };
  const [nextAt, name] = decodeCursor(cursor, ["number", "string"]) as [number, string];
  return { nextAt, name };
}

function pageOf(
  items: readonly ScheduleRecord[],
  limit: number,
  place: (item: ScheduleRecord) => readonly (string | number)[],
): Page<ScheduleRecord> {
  const last = items[limit - 1];
  if (last === undefined || items.length <= limit) return { items };
  return { items: items.slice(0, limit), next: encodeCursor(place(last)) };
}
