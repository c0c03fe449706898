import { randomUUID } from "node:crypto";
import { answersOf, type Tried } from "@intermodal/core/adapter";
import { IntermodalError, sleep } from "@intermodal/core/ports";
import { unavailable } from "./errors.ts";
import { KnownStream, KnownStreams, SLOW_MS } from "./known-streams.ts";
import type { Session } from "./session.ts";
import { type Chunk, chunkId } from "./stream-chunk.ts";
import { storeDataElsewhere } from "./stream-data.ts";
import type { StreamLog } from "./stream-log.ts";
import { type Found, type Placed, type Plan, type Put, plan } from "./stream-plan.ts";
import { findStored, isStray } from "./stream-repeats.ts";
import { encodeText } from "./text.ts";

/** Puts for one stream, in order. */
interface Work {
  readonly streamId: string;
  readonly puts: Put[];
  /** Where their answers stand. */
  readonly places: number[];
  found: ReadonlyMap<string, Found>;
  answers: readonly Placed[] | undefined;
}

/** How long the last chunk of an expired stream is kept for the stream that comes after it: until long after that one's first chunk is there. */
const CLOSED_MS = 24 * 60 * 60 * 1_000;
/** Tries without a pause, since each means that somebody else got on. */
const EAGER_ROUNDS = 3;
const MAX_ROUNDS = 500;
const LONGEST_PAUSE_MS = 20;
/** What is read of other processes' chunks at once. */
const CATCH_UP = 100;

/** Appends to streams: a chunk is stored at the place after the last one, where at most one can be. */
export class StreamAppender {
  readonly #session: Session;
  readonly #log: StreamLog;
  readonly #known = new KnownStreams();
  readonly #onStored: (stream: KnownStream, chunk: Chunk) => Promise<void>;

  /** @param onStored Told of each chunk; its append is answered afterwards. */
  constructor(session: Session, log: StreamLog, onStored: (stream: KnownStream, chunk: Chunk) => Promise<void>) {
    this.#session = session;
    this.#log = log;
    this.#onStored = onStored;
  }

  /**
   * Stores what is not stored yet.
   * @returns the sequences of each put's events. @throws as `answersOf`; `UNAVAILABLE`, `CLOSED`.
   */
  async put(
    what: string,
    items: readonly Tried<Put & { readonly streamId: string }>[],
  ): Promise<readonly (readonly number[])[]> {
    const answers: Tried<readonly number[]>[] = new Array(items.length);
    let pending = group(items, answers);
    for (let round = 1; pending.length > 0; round++) {
      try {
        if (round > MAX_ROUNDS) throw unavailable(what, "too many others append to the stream at once");
        if (round > EAGER_ROUNDS)
          await sleep(this.#session.clock, Math.random() * Math.min(LONGEST_PAUSE_MS, 2 * round));
        await this.#round(what, pending);
      } catch (error) {
        for (const { streamId } of pending) this.#known.forget(streamId);
        // Those that are through have their answers; the caller repeats the others.
        if (!(error instanceof IntermodalError) || !answers.some(() => true)) throw error;
        for (const { places } of pending) for (const place of places) answers[place] = error;
        break;
      }
      pending = pending.filter((work) => !isThrough(work, answers));
    }
    return answersOf(answers);
  }

  async #round(what: string, pending: readonly Work[]): Promise<void> {
    const prepared = await Promise.all(pending.map((work) => this.#prepare(what, work)));
    const sentAt = this.#session.clock.now();
    const toStore = prepared.filter(({ chunk }) => chunk !== undefined);
    const stored =
      toStore.length === 0
        ? []
        : await this.#log.insert(
            what,
            toStore.map(({ chunk }) => chunk as Chunk),
          );
    const isStored = new Map(toStore.map(({ work }, at) => [work, stored[at] as boolean]));
    await Promise.all(
      prepared.map(async ({ work, stream, planned, chunk, heardAt }) => {
        if (chunk === undefined) work.answers = planned.answers;
        else if (isStored.get(work) !== true) await this.#catchUp(what, stream);
        else if (await this.#stands(what, stream, chunk, { heardAt, sentAt })) {
          work.answers = planned.answers;
          this.#known.remember(stream);
          await this.#onStored(stream, chunk);
        }
      }),
    );
  }

  async #prepare(what: string, work: Work) {
    const { clock } = this.#session;
    const now = await this.#session.serverNow(what);
    const known = this.#known.get(work.streamId);
    const stream = known?.isFresh(clock.now(), now) ? known : await this.#load(what, work.streamId);
    const { heardAt } = stream;
    work.found = await findStored(what, this.#log, stream, work);
    const planned = plan(stream, work.puts, work.found);
    const chunk = await this.#chunkOf(what, stream, planned, now);
    return { work, stream, planned, chunk, heardAt };
  }

  /** How a stream stands now. An expired one is closed, for its successor to begin after it. */
  async #load(what: string, streamId: string): Promise<KnownStream> {
    const { clock } = this.#session;
    for (let attempt = 1; ; attempt++) {
      const heardAt = clock.now();
      const stream = new KnownStream(streamId, undefined, heardAt);
      const head = await this.#log.last(what, stream.key, "local");
      if (head === undefined) return this.#keep(stream);
      const now = await this.#session.serverNow(what);
      if (head.closed || head.expires_at.getTime() > now) return this.#keep(new KnownStream(streamId, head, heardAt));
      if (await this.#log.close(what, head, CLOSED_MS))
        return this.#keep(new KnownStream(streamId, { ...head, closed: true }, heardAt));
      if (attempt === MAX_ROUNDS) throw unavailable(what, "the stream is being changed by too many others at once");
      if (attempt > EAGER_ROUNDS) await sleep(clock, Math.random() * LONGEST_PAUSE_MS);
    }
  }

  #keep(stream: KnownStream): KnownStream {
    this.#known.remember(stream);
    return stream;
  }

  /** Takes note of what others have appended since. */
  async #catchUp(what: string, stream: KnownStream): Promise<void> {
    const heardAt = this.#session.clock.now();
    const heads = await this.#log.headsFrom(what, stream.key, stream.place, CATCH_UP);
    if (heads.length === CATCH_UP || !heads.every((head) => stream.follow(head, heardAt)))
      this.#known.forget(stream.streamId);
  }

  async #chunkOf(what: string, stream: KnownStream, planned: Plan, now: number): Promise<Chunk | undefined> {
    const { events, bytes, writers, ttlMs } = planned;
    if (events.length === 0 && ttlMs === undefined) return undefined;
    const { key, place, base, last, incarnation = randomUUID(), streamId } = stream;
    const total = bytes.reduce((sum, one) => sum + one, 0);
    const document = {
      _id: chunkId(key, place),
      stream: encodeText(streamId),
      incarnation,
      base,
      from: last + 1,
      to: last + events.length,
      ended: ttlMs !== undefined,
      appended_at: new Date(now),
      expires_at: new Date(Math.min(now + (ttlMs ?? this.#session.settings.streamSafetyTtlMs), LAST_DATE_MS)),
      bytes: total,
      writers,
      events,
    };
    return storeDataElsewhere(what, this.#log, { key, place, bytes }, document);
  }

  /**
   * Whether a chunk that was stored follows on the one before it. One that was too late for that is removed.
   * @param times When the stream was last known to stand as it was planned for, and when the chunk was sent.
   */
  async #stands(
    what: string,
    stream: KnownStream,
    chunk: Chunk,
    { heardAt, sentAt }: { readonly heardAt: number; readonly sentAt: number },
  ): Promise<boolean> {
    const took = this.#session.clock.now() - heardAt;
    if (took > SLOW_MS && (await isStray(what, this.#log, stream.key, chunk))) {
      this.#known.forget(stream.streamId);
      return false;
    }
    if (!stream.follow(chunk, sentAt)) this.#known.forget(stream.streamId);
    return true;
  }
}

const LAST_DATE_MS = 8_640_000_000_000_000;

function group(
  items: readonly Tried<Put & { readonly streamId: string }>[],
  answers: Tried<readonly number[]>[],
): readonly Work[] {
  const works = new Map<string, Work>();
  items.forEach((item, place) => {
    if (item instanceof IntermodalError) {
      answers[place] = item;
      return;
    }
    let work = works.get(item.streamId);
    if (work === undefined) {
      work = { streamId: item.streamId, puts: [], places: [], found: new Map(), answers: undefined };
      works.set(item.streamId, work);
    }
    work.puts.push(item);
    work.places.push(place);
  });
  return [...works.values()];
}

function isThrough({ answers: placed, places }: Work, answers: Tried<readonly number[]>[]): boolean {
  if (placed === undefined) return false;
  places.forEach((place, at) => {
    answers[place] = placed[at] as Placed;
  });
  return true;
}
