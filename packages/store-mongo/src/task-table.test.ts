import type { Change } from "@intermodal/core/adapter";
import { IntermodalError, newRecord, type TaskErrorInfo, type TaskRecord } from "@intermodal/core/ports";
import { type AnyBulkWriteOperation, BSON, MongoBulkWriteError, MongoServerSelectionError } from "mongodb";
import { beforeEach, expect, test } from "vitest";
import type { Session } from "./session.ts";
import type { TaskDocument } from "./task-document.ts";
import { TaskTable } from "./task-table.ts";

const NOW = 1_800_000_000_000;

function recordOf(id: string): TaskRecord {
  const draft = { id, type: "t", taskVersion: "1", queue: "q", input: 1, rootId: id, series: 1, streamId: id };
  return newRecord({ ...draft, createdAt: NOW, retentionMs: 1_000 }, NOW);
}

function insert(id: string): Change {
  return { id, before: { record: undefined, version: 0, now: NOW }, after: recordOf(id), maxAgeMs: 1_000 };
}

function update(id: string, of: Partial<TaskRecord> = {}): Change {
  const record = recordOf(id);
  return {
    id,
    before: { record, version: 1, now: NOW },
    after: { ...record, status: "RUNNING", version: 2, ...of },
    maxAgeMs: 1_000,
  };
}

/** A collection to which one bulk after the other is written, with what comes of each told by the test. */
class FakeSession {
  readonly bulks: AnyBulkWriteOperation<TaskDocument>[][] = [];
  readonly found: (Partial<TaskDocument> & { readonly read_at: Date })[] = [];
  comes: (operations: readonly AnyBulkWriteOperation<TaskDocument>[]) => { matchedCount: number } = (operations) => ({
    matchedCount: operations.filter((operation) => !("insertOne" in operation)).length,
  });
  readFails: IntermodalError | undefined;
  readonly reads: string[][] = [];
  /** What is known here of the server's clock. */
  now: number | undefined = NOW;
  readonly connection = { serverClock: { now: () => this.now, learn: () => {} } };
  readonly #collection = {
    initializeUnorderedBulkOp: () => {
      const operations: AnyBulkWriteOperation<TaskDocument>[] = [];
      return {
        raw: (operation: AnyBulkWriteOperation<TaskDocument>) => {
          BSON.serialize(operation);
          operations.push(operation);
        },
        execute: async () => {
          this.bulks.push(operations);
          return this.comes(operations);
        },
      };
    },
    aggregate: ([{ $match }]: [{ $match: { _id: { $in: string[] } } }]) => ({
      toArray: async () => {
        this.reads.push($match._id.$in);
        if (this.readFails !== undefined) throw this.readFails;
        return this.found;
      },
    }),
  };

  async call<T>(_what: string, _spec: unknown, run: (collection: unknown) => Promise<T>): Promise<T> {
    return run(this.#collection);
  }

  async serverNow(): Promise<number> {
    return NOW;
  }
}

let session: FakeSession;
let table: TaskTable;
let told: string[];
beforeEach(() => {
  session = new FakeSession();
  told = [];
  table = new TaskTable(session as unknown as Session, (written) => told.push(...written.map(({ id }) => id)));
});

/** As the driver tells of a bulk of which some was refused. */
function refused(codes: Readonly<Record<number, number>>, matchedCount: number): never {
  const writeErrors = Object.entries(codes).map(([index, code]) => ({ index: Number(index), code, errmsg: "no" }));
  throw bulkError({ message: "no", code: writeErrors[0]?.code, writeErrors }, { insertedCount: 0, matchedCount });
}

function bulkError(error: unknown, done: { readonly insertedCount: number; readonly matchedCount: number }) {
  return new MongoBulkWriteError(error as Error, { ...done, getWriteConcernError: () => undefined } as never);
}

test("a change that cannot be encoded is refused alone, whatever is wrong with it", async () => {
  const error = { name: undefined, message: "m" } as unknown as TaskErrorInfo;
  const node = "x".repeat(18 * 1_048_576);
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const duties = [cyclic] as never;
  const changes = [update("a"), update("b", { error }), insert("c"), update("d", { node }), update("e", { duties })];
  const results = await table.write(changes);
  expect(results.map((result) => (result as IntermodalError | undefined)?.code)).toEqual([
    undefined,
    "NOT_SERIALIZABLE",
    undefined,
    "PAYLOAD_TOO_LARGE",
    "NOT_SERIALIZABLE",
  ]);
  expect(results.filter((result) => result instanceof IntermodalError).map(({ unknown }) => unknown)).toEqual([
    false,
    false,
    false,
  ]);
  expect([session.bulks.map((operations) => operations.length), told]).toEqual([[2], ["a", "c"]]);
});

test("where nothing can be encoded nothing is sent", async () => {
  const [result] = await table.write([update("a", { error: { message: "m" } as TaskErrorInfo })]);
  expect([(result as IntermodalError).code, session.bulks]).toEqual(["NOT_SERIALIZABLE", []]);
});

test("what the server refuses is refused alone; what was there is read", async () => {
  session.found.push({ ...documentOf("c"), read_at: new Date(NOW) });
  session.comes = () => refused({ 0: 10334, 3: 11000, 4: 371 }, 2);
  const changes = [update("big"), update("a"), update("b"), insert("c"), update("blocked")];
  const [big, a, b, c, blocked] = await table.write(changes);
  expect([a, b]).toEqual([undefined, undefined]);
  expect(big).toMatchObject({ code: "PAYLOAD_TOO_LARGE", unknown: false });
  expect(c).toMatchObject({ version: 7, record: { id: "c" } });
  expect(blocked).toMatchObject({ code: "UNAVAILABLE", unknown: false });
  expect(told).toEqual(["a", "b"]);
});

test("a refusal is told of the change that it concerns, even behind one that was not sent", async () => {
  session.comes = () => refused({ 1: 17419 }, 1);
  const results = await table.write([update("odd", { node: 7 as never }), update("a"), update("big")]);
  expect(results.map((result) => (result as IntermodalError | undefined)?.code)).toEqual([
    "NOT_SERIALIZABLE",
    undefined,
    "PAYLOAD_TOO_LARGE",
  ]);
});

test("what was written, and what found something else, is told apart by names", async () => {
  session.comes = (operations) => {
    const [name] = JSON.stringify(operations[0]).match(/(?<="written_as":\{"\$each":\[")[^"]+/) ?? [];
    session.found.push({ ...documentOf("a"), written_as: [name as string], read_at: new Date(NOW) });
    session.found.push({ ...documentOf("b"), written_as: ["other"], read_at: new Date(NOW) });
    return { matchedCount: 1 };
  };
  const [a, b] = await table.write([update("a"), update("b")]);
  expect([a, b]).toEqual([undefined, expect.objectContaining({ version: 7, now: NOW })]);
});

test("once a bulk was written, what cannot be found out any more may have happened; the rest is certain", async () => {
  session.comes = () => refused({ 0: 10334 }, 1);
  session.readFails = new IntermodalError("CLOSED", "the adapter has been closed");
  const [big, a, b, c] = await table.write([update("big"), update("a"), update("b"), insert("c")]);
  expect(big).toMatchObject({ code: "PAYLOAD_TOO_LARGE", unknown: false });
  for (const one of [a, b]) expect(one).toMatchObject({ code: "CLOSED", unknown: true });
  expect([c, told]).toEqual([undefined, ["c"]]);
});

test("where inserts were done and updates could not be sent, all may have happened", async () => {
  const noServer = new MongoServerSelectionError("none", { type: "Single", servers: new Map() } as never);
  session.comes = () => {
    throw bulkError(noServer, { insertedCount: 1, matchedCount: 0 });
  };
  await expect(table.write([insert("a"), update("b")])).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
  session.comes = () => {
    throw bulkError(noServer, { insertedCount: 0, matchedCount: 0 });
  };
  await expect(table.write([insert("a"), update("b")])).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
});

test("an insert that comes too late is not sent, since the server compares no time there; an update is left to it", async () => {
  for (const now of [NOW + 1_001, NOW - 1_001, undefined]) {
    session.now = now;
    const [a, b] = await table.write([insert("a"), update("b")]);
    expect([a, b]).toEqual([{ record: undefined, version: 0, now: NOW }, undefined]);
  }
  expect(session.bulks.flat().filter((operation) => "insertOne" in operation)).toEqual([]);
  session.now = NOW + 1_000;
  expect(await table.write([insert("a")])).toEqual([undefined]);
});

test("any number of records is read in parts", async () => {
  const ids = Array.from({ length: 250 }, (_, at) => `t${at}`);
  session.found.push(...ids.map((id) => ({ ...documentOf(id), read_at: new Date(NOW) })));
  const readings = await table.read(ids);
  expect(readings.map(({ record }) => record?.id)).toEqual(ids);
  expect([session.reads.map(({ length }) => length), session.reads.flat()]).toEqual([[100, 100, 50], ids]);
  session.readFails = new IntermodalError("UNAVAILABLE", "away");
  await expect(table.read(ids)).rejects.toBe(session.readFails);
});

function documentOf(_id: string): Partial<TaskDocument> {
  return { _id, version: 7, type: "t", root_id: _id };
}
