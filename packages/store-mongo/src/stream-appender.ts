import { randomUUID } from "node:crypto";
import { answersOf, type Tried } from "@intermodal/core/adapter";
import { IntermodalError, isIntermodalError, sleep } from "@intermodal/core/ports";
import { unavailable, unsure } from "./errors.ts";
import { KnownStream, KnownStreams, SLOW_MS } from "./known-streams.ts";
import type { Session } from "./session.ts";
import { type Chunk, type ChunkDraft, chunkId } from "./stream-chunk.ts";
import { StreamData } from "./stream-data.ts";
import type { StreamLog } from "./stream-log.ts";
import { type Plan, type Put, plan } from "./stream-plan.ts";
import { type Steps, StreamQueue, type Work } from "./stream-queue.ts";
import { findStored, isStray } from "./stream-repeats.ts";
import { encodeText } from "./text.ts";

/** What is to be stored for a stream, and how the stream was seen to stand. */
interface Prepared {
  readonly stream: KnownStream;
  readonly planned: Plan;
  /** Absent where there is nothing new. */
  readonly draft: ChunkDraft | undefined;
  readonly heardAt: number;
}

type PreparedDraft = Prepared & { readonly draft: ChunkDraft };

function hasDraft(prepared: Prepared | IntermodalError): prepared is PreparedDraft {
  return !(prepared instanceof IntermodalError) && prepared.draft !== undefined;
}

/** How long the last chunk of an expired stream is kept for the stream that comes after it: until long after that one's first chunk is there. */
const CLOSED_MS = 24 * 60 * 60 * 1_000;
/** An expired stream that others change at the same time is looked at again. */
const MAX_LOOKS = 100;
const LOOK_PAUSE_MS = 10;
/** What is read of other processes' chunks at once. */
const CATCH_UP = 100;
const LAST_DATE_MS = 8_640_000_000_000_000;
const WHAT = "append";

/** Appends to streams: a chunk is stored at the place after the last one, where at most one can be. */
export class StreamAppender {
  readonly #session: Session;
  readonly #log: StreamLog;
  readonly #data: StreamData;
  readonly #known = new KnownStreams();
  readonly #queue: StreamQueue;
  readonly #onStored: (stream: KnownStream, chunk: Chunk) => Promise<void>;

  /** @param onStored Told of each chunk; its append is answered afterwards. */
  constructor(session: Session, log: StreamLog, onStored: (stream: KnownStream, chunk: Chunk) => Promise<void>) {
    this.#session = session;
    this.#log = log;
    this.#data = new StreamData(log);
    this.#queue = new StreamQueue(session.clock, (works) => this.#store(works));
    this.#onStored = onStored;
  }

  /**
   * Stores what is not stored yet.
   * @returns the sequences of each put's events. @throws as `answersOf`.
   */
  async put(items: readonly Tried<Put & { readonly streamId: string }>[]): Promise<readonly (readonly number[])[]> {
    const placed = await Promise.all(
      items.map((item) => (item instanceof IntermodalError ? item : this.#queue.put(item.streamId, item))),
    );
    return answersOf(placed);
  }

  /** One step with each stream. @throws what all failed for alike. */
  async #store(works: readonly Work[]): Promise<Steps> {
    const prepared = await Promise.all(works.map((work) => this.#tryPrepare(work)));
    const away = prepared.filter((one) => isIntermodalError(one, "UNAVAILABLE"));
    if (away.length === works.length) throw away[0];
    const sentAt = this.#session.clock.now();
    const stored = await this.#insert(prepared.filter(hasDraft));
    return prepared.map(async (one) => {
      if (one instanceof IntermodalError) throw one;
      const { stream, planned, draft, heardAt } = one;
      if (draft === undefined) return planned.answers;
      const chunk = stored.get(draft);
      if (chunk instanceof IntermodalError) throw chunk;
      if (chunk === undefined) {
        stream.isBehind = true;
        return undefined;
      }
      if (!(await this.#stands(stream, chunk, { heardAt, sentAt }))) return undefined;
      this.#known.remember(stream);
      await this.#onStored(stream, chunk);
      return planned.answers;
    });
  }

  /** @returns those that were stored, and why some were refused: another one has the others' place. */
  async #insert(toStore: readonly PreparedDraft[]): Promise<ReadonlyMap<ChunkDraft, Tried<Chunk>>> {
    const stored = new Map<ChunkDraft, Tried<Chunk>>();
    if (toStore.length === 0) return stored;
    try {
      // As late as can be: the cap leaves alone what has been there for a short time only.
      const now = await this.#session.serverNow(WHAT);
      const chunks = toStore.map(({ draft, planned }) => this.#dated(draft, planned, now));
      const fates = await this.#log.insert(WHAT, chunks);
      for (const [at, { draft, stream }] of toStore.entries()) {
        const fate = fates[at];
        if (fate instanceof IntermodalError) this.#known.forget(stream.streamId);
        if (fate) stored.set(draft, fate === true ? (chunks[at] as Chunk) : fate);
      }
      return stored;
    } catch (error) {
      for (const { stream } of toStore) this.#known.forget(stream.streamId);
      throw error;
    }
  }

  /** What concerns one stream stops no other. */
  async #tryPrepare(work: Work): Promise<Prepared | IntermodalError> {
    try {
      return await this.#prepare(work);
    } catch (error) {
      this.#known.forget(work.streamId);
      if (error instanceof IntermodalError) return error;
      throw error;
    }
  }

  async #prepare(work: Work): Promise<Prepared> {
    const { clock } = this.#session;
    const now = await this.#session.serverNow(WHAT);
    const known = this.#known.get(work.streamId);
    const stands = known?.isFresh(clock.now(), now) && (!known.isBehind || (await this.#catchUp(known)));
    const stream = known !== undefined && stands ? known : await this.#load(work.streamId);
    const { heardAt } = stream;
    const found = await findStored(WHAT, this.#log, stream, work);
    const planned = plan(stream, work.puts, found);
    // What is refused for that stores nothing whose own majority would cover it.
    if (stream.ended) await this.#log.awaitHeld(WHAT, [stream.lastId]);
    return { stream, planned, draft: await this.#draftOf(stream, planned, work), heardAt };
  }

  /** How a stream stands now. An expired one is closed, for its successor to begin after it. */
  async #load(streamId: string): Promise<KnownStream> {
    const { clock } = this.#session;
    for (let look = 1; look <= MAX_LOOKS; look++) {
      const heardAt = clock.now();
      const stream = new KnownStream(streamId, undefined, heardAt);
      const head = await this.#log.last(WHAT, stream.key, "local");
      if (head === undefined) return this.#keep(stream);
      const now = await this.#session.serverNow(WHAT);
      if (head.closed || head.expires_at.getTime() > now) return this.#keep(new KnownStream(streamId, head, heardAt));
      if (await this.#log.close(WHAT, head, CLOSED_MS))
        return this.#keep(new KnownStream(streamId, { ...head, closed: true }, heardAt));
      await sleep(clock, Math.random() * LOOK_PAUSE_MS);
    }
    throw unavailable(WHAT, "the stream is being changed by too many others at once");
  }

  #keep(stream: KnownStream): KnownStream {
    this.#known.remember(stream);
    return stream;
  }

  /** Takes note of what others have appended, as late as can be: right before the next try. @returns whether it is known now how the stream stands. */
  async #catchUp(stream: KnownStream): Promise<boolean> {
    const heardAt = this.#session.clock.now();
    const heads = await this.#log.headsFrom(WHAT, stream.key, stream.place, CATCH_UP);
    stream.isBehind = false;
    return heads.length < CATCH_UP && heads.every((head) => stream.follow(head, heardAt));
  }

  async #draftOf(stream: KnownStream, planned: Plan, { rounds }: Work): Promise<ChunkDraft | undefined> {
    const { events, bytes, writers, ttlMs } = planned;
    if (events.length === 0 && ttlMs === undefined) return undefined;
    const { key, place, base, last, incarnation = randomUUID(), streamId } = stream;
    const draft = {
      _id: chunkId(key, place),
      stream: encodeText(streamId),
      incarnation,
      base,
      from: last + 1,
      to: last + events.length,
      ended: ttlMs !== undefined,
      bytes: bytes.reduce((sum, one) => sum + one, 0),
      writers,
      events,
    };
    return this.#data.fit(WHAT, stream, draft, planned, rounds);
  }

  #dated({ events, ...head }: ChunkDraft, { ttlMs }: Plan, now: number): Chunk {
    const lastsMs = ttlMs ?? this.#session.settings.streamSafetyTtlMs;
    const expiresAt = new Date(Math.min(now + lastsMs, LAST_DATE_MS));
    return { ...head, appended_at: new Date(now), expires_at: expiresAt, events };
  }

  /**
   * Whether a chunk that was stored follows on the one before it. One that was too late for that is removed.
   * @param times When the stream was last known to stand as it was planned for, and when the chunk was sent.
   */
  async #stands(
    stream: KnownStream,
    chunk: Chunk,
    { heardAt, sentAt }: { readonly heardAt: number; readonly sentAt: number },
  ): Promise<boolean> {
    const took = this.#session.clock.now() - heardAt;
    if (took > SLOW_MS && (await this.#isStray(stream, chunk))) {
      this.#known.forget(stream.streamId);
      return false;
    }
    if (!stream.follow(chunk, sentAt)) this.#known.forget(stream.streamId);
    return true;
  }

  /** @throws as `isStray`, with `unknown`: the chunk is there, and may stay. */
  async #isStray(stream: KnownStream, chunk: Chunk): Promise<boolean> {
    try {
      return await isStray(WHAT, this.#log, stream.key, chunk);
    } catch (error) {
      this.#known.forget(stream.streamId);
      throw error instanceof IntermodalError ? unsure(error) : error;
    }
  }
}
