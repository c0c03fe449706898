import { type AnyBulkWriteOperation, BSON, MongoBulkWriteError } from "mongodb";
import { expect, it } from "vitest";
import type { Session } from "./session.ts";
import { type Chunk, chunkId, DATA_LAG, dataId, streamKey } from "./stream-chunk.ts";
import { StreamLog } from "./stream-log.ts";

const KEY = streamKey("s");

function chunk(from: number, to: number, source = "t"): Chunk {
  return {
    _id: chunkId(KEY, from),
    stream: "s",
    incarnation: "i",
    base: 0,
    from,
    to,
    ended: false,
    appended_at: new Date(0),
    expires_at: new Date(1_000),
    bytes: 0,
    writers: [],
    events: [{ sequence: from, timestamp: new Date(0), source, event: "e", data: from }],
  };
}

/** A log over a collection whose methods the test gives. */
function open(collection: object): StreamLog {
  const call = async (_what: string, _spec: unknown, run: (of: object) => Promise<unknown>) => run(collection);
  return new StreamLog({ call } as unknown as Session);
}

/** A collection that encodes what is inserted, as the driver does, and of which the test tells what it refuses. */
function bulks(refused: Readonly<Record<number, number>> = {}) {
  const sent: Chunk[][] = [];
  const initializeUnorderedBulkOp = () => {
    const inserted: Chunk[] = [];
    return {
      insert: (document: Chunk) => {
        BSON.serialize(document);
        inserted.push(document);
      },
      execute: async () => {
        sent.push(inserted);
        const writeErrors = Object.entries(refused).map(([index, code]) => ({ index: Number(index), code }));
        if (writeErrors.length > 0)
          throw new MongoBulkWriteError(
            { message: "no", code: 1, writeErrors } as never,
            { getWriteConcernError: () => undefined } as never,
          );
        return { matchedCount: 0 };
      },
    };
  };
  return { sent, initializeUnorderedBulkOp };
}

it("a chunk that no document holds is refused alone, before anything is sent", async () => {
  const collection = bulks();
  const big = chunk(1, 1, "x".repeat(18 * 1_048_576));
  const fates = await open(collection).insert("append", [chunk(1, 1), big, chunk(2, 2)]);
  expect(fates).toEqual([true, expect.objectContaining({ code: "PAYLOAD_TOO_LARGE", unknown: false }), true]);
  expect(collection.sent.map((chunks) => chunks.length)).toEqual([2]);
  expect(await open(collection).insert("append", [big])).toMatchObject([{ code: "PAYLOAD_TOO_LARGE" }]);
  expect(collection.sent).toHaveLength(1);
});

it("what the server refuses is refused alone; whose place is taken is told", async () => {
  const odd = chunk(1, 1, Symbol.iterator as never);
  Object.defineProperty(odd, "toBSON", {
    value: () => {
      throw new TypeError("odd");
    },
  });
  const chunks = [odd, chunk(1, 1), chunk(2, 2), chunk(3, 3), chunk(4, 4)];
  const fates = await open(bulks({ 0: 11000, 1: 10334, 3: 371 })).insert("append", chunks);
  expect(fates).toEqual([
    expect.objectContaining({ code: "NOT_SERIALIZABLE" }),
    false,
    expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
    true,
    expect.objectContaining({ code: "UNAVAILABLE", unknown: false }),
  ]);
});

it("data go up together", async () => {
  const calls: (readonly unknown[])[] = [];
  const log = open({
    insertMany: async (...call: readonly unknown[]) => {
      calls.push(call);
    },
  });
  const documents = [1, 2, 3].map((at) => ({ _id: dataId(KEY, 1, `n/${at}`), stream: "s", data_json: "1" }));
  await log.putData("append", documents);
  expect(calls).toEqual([[documents, { ordered: false }]]);
});

it("the cap takes what stands before a chunk, and data only where none of those that it leaves can need them", async () => {
  const at = 2 * DATA_LAG;
  const kept = chunk(at, at + 9);
  const removed: { readonly _id: { readonly $gte: string; readonly $lt: string } }[] = [];
  const log = open({
    findOne: async () => kept,
    find: () => ({ toArray: async () => [] as AnyBulkWriteOperation[] }),
    deleteMany: async (filter: (typeof removed)[number]) => {
      removed.push(filter);
    },
  });
  await log.trim("trim", KEY, { incarnation: "i", place: at + 5, before: new Date(1) });
  const goes = (id: string) => removed.some(({ _id }) => id >= _id.$gte && id < _id.$lt);
  expect([goes(chunkId(KEY, at - 1)), goes(kept._id)]).toEqual([true, false]);
  expect([goes(dataId(KEY, at - DATA_LAG - 1, "n/0")), goes(dataId(KEY, at - DATA_LAG, "n/0"))]).toEqual([true, false]);
});
