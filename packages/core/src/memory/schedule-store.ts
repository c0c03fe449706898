import { decodeCursor, encodeCursor } from "../adapter/cursor.ts";
import { answersOf, tryEach } from "../adapter/each.ts";
import { limitOf } from "../adapter/listing.ts";
import { copyPayload, takePayload } from "../adapter/payload.ts";
import type { Page, PageOptions } from "../ports/delivery.ts";
import type { JsonValue } from "../ports/json.ts";
import type {
  DueSchedules,
  ScheduleDefinition,
  ScheduleOutcome,
  ScheduleReading,
  ScheduleRecord,
  ScheduleStore,
  ScheduleStoreCapabilities,
  ScheduleWrite,
} from "../ports/schedule-store.ts";
import type { MemoryConnection } from "./connection.ts";
import { compareTimes, type ScheduleTable } from "./schedule-table.ts";
import type { Store } from "./store.ts";

/** Schedules in the memory of one process. Definitions are copied when they come in and when they go out. */
export class MemoryScheduleStore implements ScheduleStore {
  readonly capabilities: ScheduleStoreCapabilities;
  readonly #store: Store;
  readonly #connection: MemoryConnection;
  readonly #table: ScheduleTable;

  constructor(store: Store, connection: MemoryConnection, namespace: string) {
    this.capabilities = { maxDefinitionBytes: store.limits.maxPayloadBytes };
    this.#store = store;
    this.#connection = connection;
    this.#table = store.namespace(namespace).schedules;
  }

  get(names: readonly string[]): Promise<ScheduleReading> {
    return this.#connection.call("get", () => ({
      now: this.#store.clock.now(),
      schedules: names.map((name) => snapshot(this.#table.get(name))),
    }));
  }

  async put(writes: readonly ScheduleWrite[]): Promise<readonly ScheduleOutcome[]> {
    const taken = tryEach(writes, (write) => this.#take(write));
    const tried = await this.#connection.call("put", () => {
      const now = this.#store.clock.now();
      return tryEach(taken, (write) => {
        const outcome = this.#table.put(write, now);
        return { ...outcome, schedule: snapshot(outcome.schedule) } as ScheduleOutcome;
      });
    });
    return answersOf(tried);
  }

  remove(names: readonly string[]): Promise<void> {
    return this.#connection.call("remove", () => {
      for (const name of names) this.#table.remove(name);
    });
  }

  list(options: PageOptions = {}): Promise<Page<ScheduleRecord>> {
    return this.#connection.call("list", () => {
      const limit = limitOf(options);
      const { cursor } = options;
      const [after] = cursor === undefined ? [] : (decodeCursor(cursor, ["string"]) as [string]);
      return pageOf(this.#table.after(after), limit, ({ name }) => [name]);
    });
  }

  due(options: PageOptions = {}): Promise<DueSchedules> {
    return this.#connection.call("due", () => {
      const limit = limitOf(options);
      const { cursor } = options;
      const now = this.#store.clock.now();
      const timed = this.#table.timed();
      const later = timed.findIndex(({ nextAt }) => nextAt > now);
      let due = later < 0 ? timed : timed.slice(0, later);
      if (cursor !== undefined) {
        const [nextAt, name] = decodeCursor(cursor, ["number", "string"]) as [number, string];
        due = due.filter((schedule) => compareTimes(schedule, { nextAt, name }) > 0);
      }
      const page = pageOf(due, limit, ({ nextAt, name }) => [nextAt, name]);
      return { ...page, now, nextAt: timed[later]?.nextAt };
    });
  }

  #take({ name, expected, schedule }: ScheduleWrite): ScheduleWrite {
    const definition = takePayload(
      schedule.definition as unknown as JsonValue,
      this.capabilities.maxDefinitionBytes,
      "definition",
    );
    return { name, expected, schedule: { ...schedule, definition: definition as unknown as ScheduleDefinition } };
  }
}

function pageOf<Item extends ScheduleRecord>(
  rest: readonly Item[],
  limit: number,
  placeOf: (item: Item) => readonly (string | number)[],
): Page<ScheduleRecord> {
  const items = rest.slice(0, limit);
  const snapshots = items.map((item) => snapshot(item));
  return rest.length > limit
    ? { items: snapshots, next: encodeCursor(placeOf(items.at(-1) as Item)) }
    : { items: snapshots };
}

/** A schedule as its receiver may keep and change it. */
function snapshot<Value extends ScheduleRecord | undefined>(schedule: Value): Value {
  if (schedule === undefined) return schedule;
  const definition = copyPayload(schedule.definition as unknown as JsonValue);
  return { ...schedule, definition: definition as unknown as ScheduleDefinition };
}
