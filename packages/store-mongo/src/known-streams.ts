import { type ChunkHead, endOf, streamKey } from "./stream-chunk.ts";

/** Streams remembered at the most, and writers of one. */
const MAX_STREAMS = 2_000;
const MAX_WRITERS = 500;
/**
 * The cap frees the places of what it takes. A chunk that was meant for a place of long ago would then be stored amid what is gone: so a stream is taken to stand as it was last heard
 * of for so long only,
 */
const FRESH_MS = 1_000;
/** what took longer than this to store is looked at again, */
export const SLOW_MS = 1_500;
/** and nothing is taken before what comes next is older than this. */
export const CAP_AGE_MS = 2_000;

/** How a stream stood when it was last heard of. Whether it is still so shows when the next chunk is stored. */
export class KnownStream {
  readonly streamId: string;
  readonly key: string;
  /** By our clock. */
  heardAt: number;
  /** Others have appended since. */
  isBehind = false;
  incarnation: string | undefined;
  /** The place of sequence 0. */
  base = 0;
  last = 0;
  /** The `_id` of the last chunk. */
  lastId = "";
  ended = false;
  expiresAt = Number.POSITIVE_INFINITY;
  /** The first sequence that is kept, as far as this process has seen to the cap. */
  first = 1;
  /** Not to see to the cap before this, by our clock. */
  capAt = 0;
  /** The highest number of each writer, up to `last`. */
  readonly #writers = new Map<string, number>();
  /** Who is not among the writers has not written. */
  #isComplete = true;

  /** @param head The stream's last chunk. */
  constructor(streamId: string, head: ChunkHead | undefined, heardAt: number) {
    this.streamId = streamId;
    this.heardAt = heardAt;
    this.key = streamKey(streamId);
    if (head === undefined) return;
    if (head.closed) this.base = endOf(head);
    else {
      this.base = head.base;
      this.incarnation = head.incarnation;
      this.#stands(head);
      for (const { writer, highest } of head.writers) this.#writers.set(writer, highest);
      this.#isComplete = false;
    }
  }

  /** Where the next chunk goes. */
  get place(): number {
    return this.base + this.last + 1;
  }

  /** @param serverNow The server's time. */
  isFresh(now: number, serverNow: number): boolean {
    return now >= this.heardAt && now - this.heardAt <= FRESH_MS && this.expiresAt > serverNow;
  }

  /** The highest number that a writer has used; 0 for none; `undefined` where that is not known. */
  highest(writer: string): number | undefined {
    return this.#writers.get(writer) ?? (this.#isComplete ? 0 : undefined);
  }

  learn(writer: string, highest: number): void {
    this.#writers.set(writer, highest);
  }

  /** Takes a chunk for what follows on the last one, unless that is known already. @returns whether it does. */
  follow(head: ChunkHead, heardAt: number): boolean {
    if (head.base !== this.base || head.from > this.last + 1) return false;
    if (this.incarnation !== undefined && this.incarnation !== head.incarnation) return false;
    if (head.from <= this.last) return true;
    this.incarnation = head.incarnation;
    this.heardAt = heardAt;
    this.#stands(head);
    for (const { writer, highest } of head.writers)
      if (this.#isComplete || this.#writers.has(writer)) this.#writers.set(writer, highest);
    return true;
  }

  forgetSomeWriters(): void {
    for (const writer of this.#writers.keys()) {
      if (this.#writers.size <= MAX_WRITERS) return;
      this.#writers.delete(writer);
      this.#isComplete = false;
    }
  }

  #stands({ _id, to, ended, expires_at }: ChunkHead): void {
    this.last = to;
    this.lastId = _id;
    this.ended = ended;
    this.expiresAt = expires_at.getTime();
  }
}

/** The streams that this process appended to last. */
export class KnownStreams {
  readonly #streams = new Map<string, KnownStream>();

  get(streamId: string): KnownStream | undefined {
    return this.#streams.get(streamId);
  }

  remember(stream: KnownStream): void {
    stream.forgetSomeWriters();
    this.#streams.delete(stream.streamId);
    this.#streams.set(stream.streamId, stream);
    if (this.#streams.size <= MAX_STREAMS) return;
    for (const oldest of this.#streams.keys()) {
      this.#streams.delete(oldest);
      return;
    }
  }

  forget(streamId: string): void {
    this.#streams.delete(streamId);
  }
}
