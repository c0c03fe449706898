import { randomUUID } from "node:crypto";
import {
  type Change,
  inParts,
  type Reading,
  type RecordTable,
  type RecoveryCandidate,
  type SweepTable,
} from "@intermodal/core/adapter";
import type { IntermodalError } from "@intermodal/core/ports";
import { type AnyBulkWriteOperation, type Collection, type Filter, MongoBulkWriteError } from "mongodb";
import { bulkFailure, isDuplicate, isIncomplete, unavailable } from "./errors.ts";
import type { Session } from "./session.ts";
import { holdSweep } from "./sweeps.ts";
import { changesOf, recordOf, TASKS, type TaskDocument } from "./task-document.ts";
import { decodeText, encodeText } from "./text.ts";
import { readTime, storeTime } from "./times.ts";

/** Records in one write. */
const MAX_BATCH = 100;
/** Of a bulk write is told how many documents it found, not which: each keeps the names of its latest writes. */
const NAMES_KEPT = 6;
const NAME_LENGTH = 12;

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
    const found = await this.#find("read tasks", ids);
    const now = found.now ?? (await this.#session.serverNow("read tasks"));
    return ids.map((id) => readingOf(found.documents.get(encodeText(id)), now));
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
    const failed = await this.#bulk(changes, name);
    const unsure = changes.map((_, at) => at).filter((at) => failed === "some" || failed.has(at));
    const results: (Reading | IntermodalError | undefined)[] = changes.map(() => undefined);
    if (unsure.length > 0) {
      const { documents, now } = await this.#find(
        "write tasks",
        unsure.map((at) => (changes[at] as Change).id),
      );
      const serverNow = now ?? (await this.#session.serverNow("write tasks"));
      for (const at of unsure) {
        const change = changes[at] as Change;
        const isUnsure = failed === "some" && change.before.version > 0;
        results[at] = resultOf(change, documents.get(encodeText(change.id)), { name, isUnsure }, serverNow);
      }
    }
    this.#onWritten(changes.filter((_, at) => results[at] === undefined));
    return results;
  }

  /** @returns which of the changes were not written; `some` where it can't be told of those that found a document. */
  async #bulk(changes: readonly Change[], name: string): Promise<ReadonlySet<number> | "some"> {
    const operations = changes.map((change) => operationOf(change, name));
    return this.#tasks("write tasks", async (tasks) => {
      try {
        const { matchedCount } = await tasks.bulkWrite(operations, { ordered: false });
        return failedOf(changes, new Set(), matchedCount);
      } catch (error) {
        if (!(error instanceof MongoBulkWriteError)) throw error;
        const errors = [error.writeErrors].flat();
        if (isIncomplete(error) || !errors.every(isDuplicate)) throw bulkFailure("write tasks", error);
        return failedOf(changes, new Set(errors.map(({ index }) => index)), error.matchedCount);
      }
    });
  }

  /** Documents by `_id`, and what the server's clock showed if there was any. */
  async #find(what: string, ids: readonly string[]) {
    const wanted = ids.map(encodeText);
    const found = await this.#tasks(what, (tasks) =>
      tasks
        .aggregate<TaskDocument & { readonly read_at: Date }>([
          { $match: { _id: { $in: wanted } } },
          { $addFields: { read_at: "$$NOW" } },
        ])
        .toArray(),
    );
    const now = found[0]?.read_at.getTime();
    if (now !== undefined) this.#session.connection.serverClock.learn(now);
    return { documents: new Map(found.map((document) => [document._id, document])), now };
  }

  #tasks<T>(what: string, run: (tasks: Collection<TaskDocument>) => Promise<T>): Promise<T> {
    return this.#session.call<TaskDocument, T>(what, TASKS, run);
  }
}

/** @param refused Those that were to be inserted where something is. */
function failedOf(
  changes: readonly Change[],
  refused: ReadonlySet<number>,
  matched: number,
): ReadonlySet<number> | "some" {
  const updates = changes.map((_, at) => at).filter((at) => (changes[at] as Change).before.version > 0);
  if (matched === updates.length) return refused;
  return matched === 0 ? new Set([...refused, ...updates]) : "some";
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
  { after }: Change,
  document: TaskDocument | undefined,
  { name, isUnsure }: { readonly name: string; readonly isUnsure: boolean },
  now: number,
): Reading | IntermodalError | undefined {
  if (document?.written_as?.includes(name)) return undefined;
  // Written over so often already that it can't be told any more. As with any lost answer, its caller repeats the step.
  if (isUnsure && document !== undefined && document.version >= after.version + NAMES_KEPT)
    return unavailable("write tasks", "others have changed the record at the same moment", true);
  return readingOf(document, now);
}
