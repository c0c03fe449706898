import {
  answersOf,
  decodeCursor,
  encodeCursor,
  inParts,
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
import type { Collection, Filter } from "mongodb";
import { isDuplicate } from "./errors.ts";
import { SCHEDULES, type ScheduleDocument, scheduleOf, updateOf } from "./schedule-document.ts";
import type { Session } from "./session.ts";
import { encodeText } from "./text.ts";
import { readTime, storeTime } from "./times.ts";

const MAX_DEFINITION_BYTES = 1_048_576;
/** The first time that a date can hold. */
const FIRST = new Date(-8_640_000_000_000_000);

/** A document, and what the server's clock showed when it was read. */
type ReadDocument = ScheduleDocument & { readonly read_at: Date };

/** Schedules in MongoDB: a document each. Every write takes effect only on the revision it expects, by the server's clock. */
export class MongoScheduleStore implements ScheduleStore {
  readonly capabilities: ScheduleStoreCapabilities = { maxDefinitionBytes: MAX_DEFINITION_BYTES };
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async get(names: readonly string[]): Promise<ScheduleReading> {
    const wanted = names.map(encodeText);
    const found = names.length === 0 ? [] : await this.#read("get schedules", { _id: { $in: wanted } });
    const byId = new Map(found.map((document) => [document._id, scheduleOf(document)]));
    return { now: await this.#nowOf(found), schedules: wanted.map((id) => byId.get(id)) };
  }

  async put(writes: readonly ScheduleWrite[]): Promise<readonly ScheduleOutcome[]> {
    const taken = tryEach(writes, take);
    const outcomes = await inParts<Tried<ScheduleWrite>, ScheduleOutcome>(taken, 1, (part) =>
      Promise.all(part.map((write) => (write instanceof IntermodalError ? write : this.#put(write)))),
    );
    return answersOf(outcomes);
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.#schedules("remove schedules", (schedules) =>
      schedules.deleteMany({ _id: { $in: names.map(encodeText) } }),
    );
  }

  async list(options: PageOptions = {}): Promise<Page<ScheduleRecord>> {
    const limit = limitOf(options);
    const { cursor } = options;
    const filter: Filter<ScheduleDocument> = {};
    if (cursor !== undefined) filter._id = { $gt: (decodeCursor(cursor, ["string"]) as [string])[0] };
    const found = await this.#schedules("list schedules", (schedules) =>
      schedules.find(filter, { sort: { _id: 1 }, limit: limit + 1 }).toArray(),
    );
    return pageOf(found, limit, ({ _id }) => [_id]);
  }

  async due(options: PageOptions = {}): Promise<DueSchedules> {
    const limit = limitOf(options);
    // Whatever comes first, so that the server's clock alone decides which of it is due.
    const found = await this.#read("due schedules", after(options.cursor), [
      { $sort: { due_at: 1, _id: 1 } },
      { $limit: limit + 1 },
    ]);
    const now = await this.#nowOf(found);
    const later = found.find(({ due_at }) => timeOf(due_at) > now);
    const due = later === undefined ? found : found.slice(0, found.indexOf(later));
    const page = pageOf(due, limit, ({ due_at, _id }) => [timeOf(due_at), _id]);
    const next = later === undefined && due.length > limit ? await this.#firstAfter(now) : later;
    return { ...page, now, nextAt: next && timeOf(next.due_at) };
  }

  /** One atomic step. */
  async #put(write: ScheduleWrite): Promise<ScheduleOutcome> {
    const { name, expected, schedule } = write;
    const id = { $eq: encodeText(name) };
    const revision = expected === undefined ? { $exists: false } : { $eq: expected };
    const written = await this.#schedules("put schedules", async (schedules) => {
      try {
        return await schedules.findOneAndUpdate({ _id: id, revision }, updateOf(write), {
          upsert: expected === undefined,
          returnDocument: "after",
        });
      } catch (error) {
        // There is one already.
        if (isDuplicate(error)) return null;
        throw error;
      }
    });
    if (written !== null) return { written: true, schedule: scheduleOf(written) };
    const standing = await this.#schedules("put schedules", (schedules) => schedules.findOne({ _id: id }));
    if (standing === null) return { written: false, schedule: undefined };
    // Its own revision: it was written before, and its answer lost.
    return { written: standing.revision === schedule.revision, schedule: scheduleOf(standing) };
  }

  async #firstAfter(now: number): Promise<ScheduleDocument | undefined> {
    const filter: Filter<ScheduleDocument> = { due_at: { $gt: storeTime(now) } };
    const [first] = await this.#schedules("due schedules", (schedules) =>
      schedules.find(filter, { sort: { due_at: 1 }, limit: 1 }).toArray(),
    );
    return first;
  }

  /** With what the server's clock shows. */
  #read(
    what: string,
    filter: Filter<ScheduleDocument>,
    stages: readonly object[] = [],
  ): Promise<readonly ReadDocument[]> {
    return this.#schedules(what, (schedules) =>
      schedules
        .aggregate<ReadDocument>([{ $match: filter }, ...stages, { $addFields: { read_at: "$$NOW" } }])
        .toArray(),
    );
  }

  /** Where nothing was found that tells it, the server is asked. */
  async #nowOf([first]: readonly ReadDocument[]): Promise<number> {
    if (first !== undefined) return first.read_at.getTime();
    this.#session.assertOpen("the time of schedules");
    const { localTime } = await this.#session.connection.hello("the time of schedules");
    return (localTime as Date).getTime();
  }

  #schedules<T>(what: string, run: (schedules: Collection<ScheduleDocument>) => Promise<T>): Promise<T> {
    return this.#session.call<ScheduleDocument, T>(what, SCHEDULES, run);
  }
}

/** @throws `PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`. */
function take(write: ScheduleWrite): ScheduleWrite {
  const { schedule } = write;
  const definition = takePayload(schedule.definition as unknown as JsonValue, MAX_DEFINITION_BYTES, "definition");
  return { ...write, schedule: { ...schedule, definition: definition as unknown as ScheduleDefinition } };
}

/** What comes after a place. @throws `CURSOR_INVALID`. */
function after(cursor: string | undefined): Filter<ScheduleDocument> {
  if (cursor === undefined) return { due_at: { $gte: FIRST } };
  const [nextAt, _id] = decodeCursor(cursor, ["number", "string"]) as [number, string];
  const due_at = storeTime(nextAt);
  return { due_at: { $gte: due_at }, $or: [{ due_at: { $gt: due_at } }, { _id: { $gt: _id } }] };
}

function timeOf(stored: ScheduleDocument["due_at"]): number {
  return readTime(stored) ?? 0;
}

function pageOf<Found extends ScheduleDocument>(
  found: readonly Found[],
  limit: number,
  place: (document: Found) => readonly (string | number)[],
): Page<ScheduleRecord> {
  const items = found.slice(0, limit).map(scheduleOf);
  const last = found[limit - 1];
  if (last === undefined || found.length <= limit) return { items };
  return { items, next: encodeCursor(place(last)) };
}
