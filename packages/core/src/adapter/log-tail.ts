import { isIntermodalError } from "../errors.ts";
import type { StoredRunEvent } from "../ports/event-stream.ts";
import type { LogPage, LogSource } from "./log-source.ts";
import { invalidCursor } from "./run-events.ts";

/** What is kept for followers that were just busy. Who is further behind reads for itself. */
const KEPT_EVENTS = 256;
const KEPT_BYTES = 4 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * The end of one stream, read once for everybody who waits there. Reads only while somebody waits: a stream whose followers are all
 * busy with what they have costs nothing.
 */
export class LogTail {
  readonly #source: LogSource;
  readonly #streamId: string;
  readonly #onOver: () => void;
  /** Gapless: the first of them comes after `#floor`, the last one is `#cursor`. */
  #events: StoredRunEvent[] = [];
  #pages: { readonly count: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #floor: number;
  #cursor: number;
  #incarnation: string | undefined;
  #ended = false;
  #failure: unknown;
  #isOver = false;
  readonly #waiting = new Set<() => void>();
  #users = 0;
  #reading = false;
  /** There may be something that has not been read. */
  #dirty = false;
  #stopWatching: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #cancelPause: (() => void) | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(
    source: LogSource,
    streamId: string,
    at: { readonly after: number; readonly incarnation: string | undefined },
    onOver: () => void,
  ) {
    this.#source = source;
    this.#streamId = streamId;
    this.#floor = at.after;
    this.#cursor = at.after;
    this.#incarnation = at.incarnation;
    this.#onOver = onOver;
  }

  get incarnation(): string | undefined {
    return this.#incarnation;
  }

  /** Nothing more will be read here. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The stream has ended with what has been read. */
  endsAt(cursor: number): boolean {
    return this.#ended && cursor === this.#cursor;
  }

  /** Somebody uses it from now on. @returns lets go of it. */
  join(): () => void {
    if (this.#users++ === 0) this.#start();
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      if (--this.#users === 0) this.stop();
    };
  }

  /**
   * What has been read after a sequence; empty: wait for it.
   * @returns undefined when it is no longer, or not gapless, here: read for yourself.
   * @throws what ended it.
   */
  after(cursor: number): readonly StoredRunEvent[] | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (cursor < this.#floor) return undefined;
    return cursor < this.#cursor ? this.#events.slice(cursor - this.#floor) : [];
  }

  /** Runs `wake` once, when there is something new. @returns stops it. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake);
    if (this.#isOver) this.#notify();
    else if (this.#dirty) this.wake();
    return () => this.#waiting.delete(wake);
  }

  /** There may be something to read. */
  wake(): void {
    this.#dirty = true;
    if (this.#reading || this.#isOver || this.#waiting.size === 0) return;
    this.#reading = true;
    void this.#read();
  }

  /** Nobody uses it any more, or nobody may. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWatching?.();
    this.#cancelPoll?.();
    this.#cancelPause?.();
    this.#onOver();
    this.#notify();
  }

  #start(): void {
    this.#stopWatching = this.#source.watch?.(this.#streamId, () => this.wake());
    this.#pollLater();
  }

  #pollLater(): void {
    // Spread, so that many streams that were followed at once are not asked for at once.
    const delayMs = this.#source.pollMs * (0.5 + Math.random() / 2);
    this.#cancelPoll = this.#source.clock.schedule(delayMs, () => {
      this.wake();
      this.#pollLater();
    });
  }

  async #read(): Promise<void> {
    this.#cancelPause?.();
    try {
      while (this.#dirty && !this.#isOver && this.#waiting.size > 0) {
        this.#dirty = false;
        const page = await this.#source.read(this.#streamId, this.#cursor);
        if (!this.#isOver) this.#take(page);
        this.#pauseMs = FIRST_PAUSE_MS;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#reading = false;
  }

  #take(page: LogPage): void {
    const { events, gap, last, ended, incarnation, bytes } = page;
    if (this.#incarnation !== undefined && this.#incarnation !== incarnation)
      throw invalidCursor(this.#streamId, this.#cursor, last);
    this.#incarnation = incarnation;
    const newest = events.at(-1)?.sequence ?? gap?.to;
    if (newest !== undefined) {
      // Whoever stands before the gap is told by reading for itself.
      if (gap !== undefined) this.#forgetAll(gap.to);
      this.#events.push(...events);
      this.#pages.push({ count: events.length, bytes });
      this.#bytes += bytes;
      this.#cursor = newest;
      this.#forgetOld();
    }
    this.#ended = ended && this.#cursor === last;
    this.#dirty ||= last > this.#cursor;
    if (this.#ended) this.stop();
    else if (newest !== undefined) this.#notify();
  }

  #forgetAll(floor: number): void {
    this.#events = [];
    this.#pages = [];
    this.#bytes = 0;
    this.#floor = floor;
  }

  #forgetOld(): void {
    while (this.#pages.length > 1 && (this.#events.length > KEPT_EVENTS || this.#bytes > KEPT_BYTES)) {
      const { count, bytes } = this.#pages.shift() as { count: number; bytes: number };
      this.#events = this.#events.slice(count);
      this.#bytes -= bytes;
      this.#floor += count;
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#dirty = true;
    if (isIntermodalError(error, "UNAVAILABLE")) {
      this.#cancelPause = this.#source.clock.schedule(this.#pauseMs * (0.75 + Math.random() / 2), () => this.wake());
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
      return;
    }
    this.#failure = error;
    this.stop();
  }

  #notify(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
