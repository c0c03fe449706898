import type { Tried } from "@intermodal/core/adapter";
import { sleep } from "@intermodal/core/ports";
import { type Collection, MongoBulkWriteError, type ReadConcernLike } from "mongodb";
import { execute } from "./bulk.ts";
import { bulkFailure, isDuplicate, notEncoded, unavailable, writeRefused } from "./errors.ts";
import type { Session } from "./session.ts";
import {
  type Chunk,
  type ChunkHead,
  chunkId,
  DATA_LAG,
  type DataDocument,
  dataId,
  endOf,
  firstChunkId,
  firstTraceId,
  lastChunkId,
  RUN_EVENTS,
  traceId,
  type WriterTrace,
} from "./stream-chunk.ts";

/**
 * How sure a reading has to be: `majority` for what is answered from it; `local`, what the primary holds, to find the place of the next chunk, whose own majority
 * covers what it follows.
 */
export type Level = "majority" | "local";

const CONCERN: Readonly<Record<Level, ReadConcernLike>> = {
  majority: { level: "majority" },
  local: { level: "local" },
};
const HELD_ATTEMPTS = 50;
const HELD_PAUSE_MS = 20;
const WITHOUT_EVENTS = { events: 0 } as const;

/** The chunks of one namespace's streams, as they are asked for. */
export class StreamLog {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The last chunk of a stream, which says how the stream stands. */
  async last(what: string, key: string, level: Level): Promise<ChunkHead | undefined> {
    const filter = { _id: { $gte: firstChunkId(key), $lte: lastChunkId(key) } };
    const options = { projection: WITHOUT_EVENTS, readConcern: CONCERN[level], sort: { _id: -1 } } as const;
    return (await this.#call<Chunk, ChunkHead | null>(what, (chunks) => chunks.findOne(filter, options))) ?? undefined;
  }

  /** The first chunk that is kept. */
  async first(what: string, key: string): Promise<ChunkHead | undefined> {
    const filter = { _id: { $gte: firstChunkId(key), $lte: lastChunkId(key) } };
    const options = { projection: WITHOUT_EVENTS, readConcern: CONCERN.local, sort: { _id: 1 } } as const;
    return (await this.#call<Chunk, ChunkHead | null>(what, (chunks) => chunks.findOne(filter, options))) ?? undefined;
  }

  /** Chunks from a place on, in order, without their events. */
  headsFrom(what: string, key: string, place: number, limit: number): Promise<readonly ChunkHead[]> {
    const filter = { _id: { $gte: chunkId(key, place), $lte: lastChunkId(key) } };
    const options = { projection: WITHOUT_EVENTS, readConcern: CONCERN.local, sort: { _id: 1 }, limit } as const;
    return this.#call<Chunk, ChunkHead[]>(what, (chunks) => chunks.find(filter, options).toArray());
  }

  /** Chunks from a place on, in order, until they are `limit` or hold `maxBytes` together. */
  chunksFrom(what: string, key: string, place: number, limit: number, maxBytes: number): Promise<readonly Chunk[]> {
    const filter = { _id: { $gte: chunkId(key, place), $lte: lastChunkId(key) } };
    return this.#call<Chunk, Chunk[]>(what, async (chunks) => {
      const found: Chunk[] = [];
      let bytes = 0;
      const cursor = chunks.find(filter, { sort: { _id: 1 }, limit, batchSize: limit });
      for await (const chunk of cursor) {
        found.push(chunk);
        bytes += chunk.bytes;
        if (bytes >= maxBytes) break;
      }
      return found;
    });
  }

  /** The last chunk that begins before a place. */
  async chunkBefore(what: string, key: string, place: number): Promise<Chunk | undefined> {
    const filter = { _id: { $gte: firstChunkId(key), $lt: chunkId(key, place) } };
    const found = await this.#call<Chunk, Chunk | null>(what, (chunks) =>
      chunks.findOne(filter, { sort: { _id: -1 } }),
    );
    return found ?? undefined;
  }

  /** Those of these chunks that are there. */
  chunks(what: string, ids: readonly string[]): Promise<readonly Chunk[]> {
    return this.#call<Chunk, Chunk[]>(what, (chunks) => chunks.find({ _id: { $in: [...ids] } }).toArray());
  }

  /** The data that chunks keep elsewhere, as JSON by the documents that hold it. */
  async data(what: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const found = await this.#call<DataDocument, DataDocument[]>(what, (data) =>
      data.find({ _id: { $in: [...ids] } }).toArray(),
    );
    return new Map(found.map(({ _id, data_json }) => [_id, data_json]));
  }

  /** Stores data together: in as few messages as they fit into. */
  async putData(what: string, documents: readonly DataDocument[]): Promise<void> {
    await this.#call<DataDocument, unknown>(what, async (data) => {
      try {
        await data.insertMany([...documents], { ordered: false });
      } catch (error) {
        throw error instanceof MongoBulkWriteError ? bulkFailure(what, error) : error;
      }
    });
  }

  /**
   * Stores chunks, each in one atomic step.
   * @returns for each whether it was stored, or why it was refused; if it was not stored, another one has its place.
   */
  insert(what: string, chunks: readonly Chunk[]): Promise<readonly Tried<boolean>[]> {
    return this.#call<Chunk, Tried<boolean>[]>(what, async (collection) => {
      const fates: Tried<boolean>[] = chunks.map(() => true);
      const bulk = collection.initializeUnorderedBulkOp();
      /** Where those stand that are sent. */
      const sent: number[] = [];
      for (const [at, chunk] of chunks.entries())
        try {
          // Encodes it: what can't be is refused alone.
          bulk.insert(chunk);
          sent.push(at);
        } catch (error) {
          fates[at] = notEncoded(what, error);
        }
      if (sent.length === 0) return fates;
      const { refusals } = await execute(what, bulk);
      for (const refusal of refusals)
        fates[sent[refusal.index] as number] = isDuplicate(refusal) ? false : writeRefused(what, refusal);
      return fates;
    });
  }

  async remove(what: string, id: string): Promise<void> {
    await this.#call<Chunk, unknown>(what, (chunks) => chunks.deleteOne({ _id: { $eq: id } }));
  }

  /** Chunks whose own time was over before this. */
  outdated(what: string, before: Date, limit: number): Promise<readonly ChunkHead[]> {
    const filter = { expires_at: { $lt: before } };
    const options = { projection: WITHOUT_EVENTS, sort: { expires_at: 1 }, limit } as const;
    return this.#call<Chunk, ChunkHead[]>(what, (chunks) => chunks.find(filter, options).toArray());
  }

  /** Puts off the time of what a stream has before its last chunk to that one's, so that it is not looked at again before. */
  async putOff(what: string, key: string, { _id, expires_at }: ChunkHead): Promise<void> {
    const filter = { _id: { $gte: firstTraceId(key), $lt: _id }, expires_at: { $lt: expires_at } };
    await this.#call<Chunk, unknown>(what, (chunks) => chunks.updateMany(filter, { $set: { expires_at } }));
  }

  /** Removes a stream: its last chunk goes last, and only if its time is still over. */
  async removeStream(what: string, key: string, last: ChunkHead, before: Date): Promise<void> {
    const earlier = { _id: { $gte: firstTraceId(key), $lt: last._id } };
    const data = { _id: { $gte: dataId(key, 0, ""), $lt: dataId(key, endOf(last) + 1, "") } };
    await this.#call<Chunk, unknown>(what, async (chunks) => {
      await chunks.deleteMany(earlier);
      await chunks.deleteMany(data);
      await chunks.deleteOne({ _id: { $eq: last._id }, expires_at: { $lt: before } });
    });
  }

  /** Removes what a process that was very late has kept of a stream that is gone. */
  async removeTraces(what: string, key: string, before: Date): Promise<void> {
    const filter = { _id: { $gte: firstTraceId(key), $lt: firstChunkId(key) }, expires_at: { $lt: before } };
    await this.#call<Chunk, unknown>(what, (chunks) => chunks.deleteMany(filter));
  }

  /**
   * Removes what ends before a place, with whatever an earlier stream of the same id has left, if something came after it that was sent before `before`: only that shows since when it is
   * there, since it may have been on its way for long itself.
   * @returns the first chunk that is kept.
   */
  async trim(
    what: string,
    key: string,
    upTo: { readonly incarnation: string; readonly place: number; readonly before: Date },
  ): Promise<ChunkHead | undefined> {
    const filter = {
      _id: { $gte: firstChunkId(key), $lt: chunkId(key, upTo.place) },
      appended_at: { $lt: upTo.before },
    };
    const next = await this.#call<Chunk, ChunkHead | null>(what, (chunks) =>
      chunks.findOne(filter, { projection: WITHOUT_EVENTS, sort: { _id: -1 } }),
    );
    if (next !== null) {
      await this.#keepTraces(what, key, upTo.incarnation, next);
      await this.#removeBefore(what, key, next);
    }
    return this.first(what, key);
  }

  /** The highest number that a writer has used in a stream, what the cap took included; 0 for none. */
  async highestOf(what: string, stream: string, incarnation: string, writer: string): Promise<number> {
    const filter = { stream: { $eq: stream }, incarnation: { $eq: incarnation }, "writers.writer": { $eq: writer } };
    const options = { projection: WITHOUT_EVENTS, readConcern: CONCERN.local, sort: { _id: -1 } } as const;
    const latest = await this.#call<Chunk, ChunkHead | WriterTrace | null>(what, (chunks) =>
      chunks.findOne(filter, options),
    );
    if (latest === null) return 0;
    if ("highest" in latest) return latest.highest;
    return Math.max(...latest.writers.filter((one) => one.writer === writer).map(({ highest }) => highest));
  }

  /** Every chunk with something of this writer between two of its numbers, without events. */
  holding(
    what: string,
    stream: string,
    incarnation: string,
    writer: string,
    [first, last]: readonly [number, number],
  ): Promise<readonly ChunkHead[]> {
    const filter = {
      stream: { $eq: stream },
      incarnation: { $eq: incarnation },
      writers: { $elemMatch: { writer: { $eq: writer }, n: { $lte: last }, last_n: { $gte: first } } },
    };
    const options = { projection: WITHOUT_EVENTS, readConcern: CONCERN.local } as const;
    return this.#call<Chunk, ChunkHead[]>(what, (chunks) => chunks.find(filter, options).toArray());
  }

  /** Resolves once a majority of servers holds these chunks. @throws `UNAVAILABLE` where that takes long. */
  async awaitHeld(what: string, ids: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const held = ids.length === 0 ? [] : await this.#held(what, ids);
      if (held.length === ids.length) return;
      if (attempt === HELD_ATTEMPTS)
        throw unavailable(what, "what was stored before has yet to reach a majority of the replica set", true);
      await sleep(this.#session.clock, HELD_PAUSE_MS);
    }
  }

  /**
   * Marks the last chunk of an expired stream, so that the next one begins a stream and this one stays until then, in one atomic step by the server's clock.
   * @returns whether it was marked; if not, it has changed or has not expired.
   */
  async close(what: string, head: ChunkHead, keptMs: number): Promise<boolean> {
    const filter = {
      _id: { $eq: head._id },
      expires_at: { $eq: head.expires_at },
      closed: { $exists: false },
      // Not `$lte`: where a collection has indexes, DocumentDB looks one up for a comparison in a write's filter, and knows no time there.
      $expr: { $not: [{ $gt: ["$expires_at", "$$NOW"] }] },
    };
    const set = [{ $set: { closed: true, expires_at: { $add: ["$$NOW", keptMs] } } }];
    const marked = await this.#call<Chunk, unknown>(what, (chunks) => chunks.findOneAndUpdate(filter, set));
    return marked !== null;
  }

  /** Whoever repeats what the cap is about to take must be told that it was there. Kept in vain, it says nothing that the chunks do not. */
  async #keepTraces(what: string, key: string, incarnation: string, next: ChunkHead): Promise<void> {
    const { stream, expires_at } = next;
    const filter = { _id: { $gte: firstChunkId(key), $lt: next._id }, incarnation: { $eq: incarnation } };
    const options = { projection: { writers: 1 }, readConcern: CONCERN.local } as const;
    const heads = await this.#call<Chunk, Chunk[]>(what, (chunks) => chunks.find(filter, options).toArray());
    const taken = new Map<string, number>();
    for (const { writer, highest } of heads.flatMap(({ writers }) => writers))
      taken.set(writer, Math.max(highest, taken.get(writer) ?? 0));
    const keep = [...taken].map(([writer, highest]) => ({
      updateOne: {
        filter: { _id: { $eq: traceId(key, incarnation, writer) } },
        update: { $setOnInsert: { stream, incarnation, writers: [{ writer }] }, $max: { highest, expires_at } },
        upsert: true,
      },
    }));
    if (keep.length === 0) return;
    await this.#call<WriterTrace, unknown>(what, (traces) => traces.bulkWrite(keep, { ordered: false }));
  }

  async #removeBefore(what: string, key: string, { _id, base, from }: ChunkHead): Promise<void> {
    const inUse = Math.max(0, base + from - DATA_LAG);
    await this.#call<Chunk, unknown>(what, async (chunks) => {
      await chunks.deleteMany({ _id: { $gte: firstChunkId(key), $lt: _id } });
      await chunks.deleteMany({ _id: { $gte: dataId(key, 0, ""), $lt: dataId(key, inUse, "") } });
    });
  }

  #held(what: string, ids: readonly string[]): Promise<readonly unknown[]> {
    return this.#call<Chunk, unknown[]>(what, (chunks) =>
      chunks.find({ _id: { $in: [...ids] } }, { projection: { _id: 1 } }).toArray(),
    );
  }

  #call<Doc extends Chunk | DataDocument | WriterTrace, T>(
    what: string,
    run: (collection: Collection<Doc>) => Promise<T>,
  ): Promise<T> {
    return this.#session.call<Doc, T>(what, RUN_EVENTS, run);
  }
}
