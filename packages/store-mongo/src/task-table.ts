import { randomUUID } from "node:crypto";
import {
  type Change,
  inParts,
  type Reading,
  type RecordTable,
  type RecoveryCandidate,
  type SweepTable,
} from "@intermodal/core/adapter";
import { IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import type { AnyBulkWriteOperation, Collection, Filter } from "mongodb";
import { execute } from "./bulk.ts";
import { isDuplicate, notEncoded, unavailable, unsure, writeRefused } from "./errors.ts";
import type { Session } from "./session.ts";
import { holdSweep } from "./sweeps.ts";
import { changesOf, recordOf, TASKS, type TaskDocument } from "./task-document.ts";
import { decodeText, encodeText } from "./text.ts";
import { readTime, storeTime } from "./times.ts";

/** Records in one read or write. */
const MAX_BATCH = 100;
/** Of a bulk write is told how many documents it found, not which: each keeps the names of its latest writes. */
const NAMES_KEPT = 6;
const NAME_LENGTH = 12;

/** What became of a change: written; missed, since something else is there; unsure which of the two; or refused. */
type Fate = "written" | "missed" | "unsure" | IntermodalError;

/** Documents by `_id`, and what the server's clock showed. */
interface Found {
  readonly documents: ReadonlyMap<string, TaskDocument>;
  readonly now: number;
}

/** The task records of one namespace in MongoDB: a document each. */
export class TaskTable implements RecordTable, SweepTable {
  readonly #session: Session;
  readonly #onWritten: (changes: readonly Change[]) => void;

  /** @param onWritten Told of changes that have taken effect. */
  constructor(session: Session, onWritten: (changes: readonly Change[]) => void) {
    this.#session = session;
    this.#onWritten = onWritten;
  }

  now(): number | undefined {
    return this.#session.connection.serverClock.now();
  }

  async read(ids: readonly string[]): Promise<readonly Reading[]> {
    const readings = await inParts<string, Reading>(ids, MAX_BATCH, async (part) => {
      const { documents, now } = await this.#find("read tasks", part);
      return part.map((id) => readingOf(documents.get(encodeText(id)), now));
    });
    return readings.map((reading) => {
      if (reading instanceof IntermodalError) throw reading;
      return reading;
    });
  }

  write(changes: readonly Change[]): Promise<readonly (Reading | IntermodalError | undefined)[]> {
    return inParts<Change, Reading | undefined>(changes, MAX_BATCH, (part) => this.#write(part));
  }

  async *run(rootId: string): AsyncIterable<readonly string[]> {
    let after: string | undefined;
    for (;;) {
      const filter: Filter<TaskDocument> = {
        root_id: { $eq: encodeText(rootId) },
        ...(after !== undefined && { _id: { $gt: after } }),
      };
      const found = await this.#tasks("retain", (tasks) =>
        tasks.find(filter, { projection: { _id: 1 }, sort: { _id: 1 }, limit: MAX_BATCH }).toArray(),
      );
      if (found.length === 0) return;
      yield found.map(({ _id }) => decodeText(_id));
      after = found.at(-1)?._id;
    }
  }

  hold(node: string, leaseMs: number): Promise<number | undefined> {
    return holdSweep(this.#session, "recovery", node, leaseMs);
  }

  async candidates(
    after: RecoveryCandidate | undefined,
    until: number,
    limit: number,
  ): Promise<readonly RecoveryCandidate[]> {
    const last = storeTime(until);
    const at = after && storeTime(after.at);
    const filter: Filter<TaskDocument> =
      after === undefined
        ? { recover_at: { $lte: last } }
        : {
            recover_at: { $gte: at, $lte: last },
            $or: [{ recover_at: { $gt: at } }, { _id: { $gt: encodeText(after.id) } }],
          };
    const options = { projection: { recover_at: 1 }, sort: { recover_at: 1, _id: 1 }, limit } as const;
    const found = await this.#tasks("recover", (tasks) => tasks.find(filter, options).toArray());
    return found.map(({ _id, recover_at = until }) => ({ at: readTime(recover_at), id: decodeText(_id) }));
  }

  async #write(changes: readonly Change[]): Promise<readonly (Reading | IntermodalError | undefined)[]> {
    const name = randomUUID().slice(-NAME_LENGTH);
    const fates = await this.#bulk(changes, name);
    const results = fates.map((fate): Reading | IntermodalError | undefined =>
      typeof fate === "string" ? undefined : fate,
    );
    const open = [...fates.keys()].filter((at) => fates[at] === "missed" || fates[at] === "unsure");
    if (open.length > 0) {
      const there = await this.#there(open.map((at) => (changes[at] as Change).id));
      for (const at of open) {
        const change = changes[at] as Change;
        results[at] = isIntermodalError(there)
          ? there
          : resultOf(change, there, { name, isUnsure: fates[at] === "unsure" });
      }
    }
    this.#onWritten(changes.filter((_, at) => results[at] === undefined));
    return results;
  }

  /** @throws what the changes failed for together. */
  #bulk(changes: readonly Change[], name: string): Promise<readonly Fate[]> {
    return this.#tasks("write tasks", async (tasks) => {
      const fates: Fate[] = changes.map(() => "written");
      const bulk = tasks.initializeUnorderedBulkOp();
      /** Where those stand that are sent. */
      const sent: number[] = [];
      const now = this.now();
      changes.forEach((change, at) => {
        // An insert has no filter in which the server could look at its clock: what is known of it here has to do.
        if (change.before.version === 0 && isPast(change, now)) {
          fates[at] = "missed";
          return;
        }
        try {
          // Encodes it: what can't be is refused alone.
          bulk.raw(operationOf(change, name) as AnyBulkWriteOperation);
          sent.push(at);
        } catch (error) {
          fates[at] = notEncoded("write tasks", error);
        }
      });
      if (sent.length === 0) return fates;
      const { matched, refusals } = await execute("write tasks", bulk);
      for (const refusal of refusals)
        fates[sent[refusal.index] as number] = isDuplicate(refusal) ? "missed" : writeRefused("write tasks", refusal);
      const updates = sent.filter((at) => fates[at] === "written" && (changes[at] as Change).before.version > 0);
      if (matched < updates.length) for (const at of updates) fates[at] = matched === 0 ? "missed" : "unsure";
      return fates;
    });
  }

  /** What is there after a write; or why that can't be told, with `unknown` set: some of the write may have been done. */
  async #there(ids: readonly string[]): Promise<Found | IntermodalError> {
    try {
      return await this.#find("write tasks", ids);
    } catch (error) {
      if (isIntermodalError(error)) return unsure(error);
      throw error;
    }
  }

  async #find(what: string, ids: readonly string[]): Promise<Found> {
    const wanted = ids.map(encodeText);
    const found = await this.#tasks(what, (tasks) =>
      tasks
        .aggregate<TaskDocument & { readonly read_at: Date }>([
          { $match: { _id: { $in: wanted } } },
          { $addFields: { read_at: "$$NOW" } },
        ])
        .toArray(),
    );
    const documents = new Map(found.map((document) => [document._id, document]));
    const now = found[0]?.read_at.getTime();
    if (now === undefined) return { documents, now: await this.#session.serverNow(what) };
    this.#session.connection.serverClock.learn(now);
    return { documents, now };
  }

  #tasks<T>(what: string, run: (tasks: Collection<TaskDocument>) => Promise<T>): Promise<T> {
    return this.#session.call<TaskDocument, T>(what, TASKS, run);
  }
}

/** Whether the store's clock is no longer near the time at which the change was computed. */
function isPast({ before, maxAgeMs }: Change, now: number | undefined): boolean {
  return now === undefined || Math.abs(now - before.now) > maxAgeMs;
}

function readingOf(document: TaskDocument | undefined, now: number): Reading {
  if (document === undefined) return { record: undefined, version: 0, now };
  const record = recordOf(document);
  const hasExpired = record.expiresAt !== undefined && record.expiresAt <= now;
  return { record: hasExpired ? undefined : record, version: document.version, now };
}

function operationOf({ id, before, after, maxAgeMs }: Change, name: string): AnyBulkWriteOperation<TaskDocument> {
  const { set, unset } = changesOf(before.record, after);
  const whole = { ...set, written_as: [name] } as unknown as TaskDocument;
  const _id = encodeText(id);
  if (before.version === 0) return { insertOne: { document: { ...whole, _id } } };
  const age = { $abs: { $subtract: ["$$NOW", new Date(before.now)] } };
  const filter: Filter<TaskDocument> = {
    _id: { $eq: _id },
    version: { $eq: before.version },
    // Not `$lte`: where a collection has indexes, DocumentDB looks one up for a comparison in a write's filter, and knows no time there.
    $expr: { $not: [{ $gt: [age, maxAgeMs] }] },
  };
  // What has expired is none of the new record's.
  if (before.record === undefined) return { replaceOne: { filter, replacement: whole } };
  const $push = { written_as: { $each: [name], $slice: -NAMES_KEPT } };
  const update = Object.keys(unset).length === 0 ? { $set: set, $push } : { $set: set, $unset: unset, $push };
  return { updateOne: { filter, update } };
}

/** What came of a change that may not have been written, by what is there now. */
function resultOf(
  { id, after }: Change,
  { documents, now }: Found,
  { name, isUnsure }: { readonly name: string; readonly isUnsure: boolean },
): Reading | IntermodalError | undefined {
  const document = documents.get(encodeText(id));
  if (document?.written_as?.includes(name)) return undefined;
  // Written over so often already that it can't be told any more. As with any lost answer, its caller repeats the step.
  if (isUnsure && document !== undefined && document.version >= after.version + NAMES_KEPT)
    return unavailable("write tasks", "others have changed the record at the same moment", true);
  return readingOf(document, now);
}
