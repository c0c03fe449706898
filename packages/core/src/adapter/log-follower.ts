import { isIntermodalError } from "../errors.ts";
import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import type { LogPage, LogSource } from "./log-source.ts";
import type { LogTail } from "./log-tail.ts";
import { invalidCursor } from "./run-events.ts";

/** What a follower has in common with the others. */
export interface Followed {
  readonly source: LogSource;
  /** As the source's; those who ask at the same time may be given the same page. */
  read(streamId: string, after: number): Promise<LogPage>;
  /** The shared reader of what comes after this. @returns undefined while the one there is belongs to another incarnation. */
  tailOf(streamId: string, after: number, incarnation: string | undefined): LogTail | undefined;
  /** Runs `wake` when everything is closed. @returns stops it. */
  onClose(wake: () => void): () => void;
}

type Entry = StoredRunEvent | StreamGap;
type Result = IteratorResult<Entry, undefined>;

const DONE: Result = { done: true, value: undefined };
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** One reader of one stream: by itself until it has all there is, then together with the others that wait for more. It never holds more than a page. */
export class LogFollower implements AsyncIterator<Entry, undefined> {
  readonly #log: Followed;
  readonly #streamId: string;
  readonly #signal: AbortSignal | undefined;
  /** The sequence of what was read last. */
  #cursor: number;
  /** Of the stream that the cursor belongs to. */
  #incarnation: string | undefined;
  #tail: LogTail | undefined;
  #leaveTail: (() => void) | undefined;
  #entries: readonly Entry[] = [];
  #index = 0;
  /** The terminal event is among the entries, or has been handed out. */
  #ended = false;
  #over = false;
  #wake: (() => void) | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #asked: Promise<unknown> = Promise.resolve();
  #open = 0;

  constructor(log: Followed, streamId: string, after: number, signal: AbortSignal | undefined) {
    this.#log = log;
    this.#streamId = streamId;
    this.#cursor = after;
    this.#signal = signal;
  }

  next(): Promise<Result> {
    // Several may be asked for at once; they are answered in order.
    const answer = this.#open++ === 0 ? this.#advance() : this.#asked.then(() => this.#advance());
    this.#asked = answer.then(this.#answered, this.#answered);
    return answer;
  }

  async return(): Promise<Result> {
    this.#end();
    this.#wake?.();
    return DONE;
  }

  readonly #answered = () => {
    this.#open--;
  };

  readonly #leaveForGood = () => this.#end();

  async #advance(): Promise<Result> {
    try {
      for (;;) {
        if (this.#over || this.#signal?.aborted) break;
        this.#log.source.assertOpen("follow");
        const entry = this.#entries[this.#index];
        if (entry !== undefined) {
          this.#index++;
          return { done: false, value: entry };
        }
        if (this.#ended) break;
        await (this.#tail === undefined ? this.#readSelf() : this.#readTail(this.#tail));
      }
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return DONE;
  }

  async #readTail(tail: LogTail): Promise<void> {
    const events = tail.after(this.#cursor);
    if (events === undefined) this.#leave();
    else if (events.length > 0) {
      this.#incarnation = tail.incarnation;
      this.#hold(events);
      this.#cursor = events.at(-1)?.sequence ?? this.#cursor;
      this.#ended = tail.endsAt(this.#cursor);
    } else if (tail.endsAt(this.#cursor)) this.#ended = true;
    else if (tail.isOver) this.#leave();
    else await this.#rest((wake) => tail.wait(wake));
  }

  async #readSelf(): Promise<void> {
    let page: LogPage;
    try {
      page = await this.#log.read(this.#streamId, this.#cursor);
    } catch (error) {
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
      await this.#pause();
      return;
    }
    const { events, gap, last, ended, incarnation } = page;
    if (this.#incarnation !== undefined && this.#incarnation !== incarnation)
      throw invalidCursor(this.#streamId, this.#cursor, last);
    this.#incarnation = incarnation;
    this.#hold(gap === undefined ? events : [{ gap }, ...events]);
    this.#cursor = events.at(-1)?.sequence ?? gap?.to ?? this.#cursor;
    this.#ended = ended && this.#cursor === last;
    if (this.#cursor < last || this.#ended || this.#over) {
      this.#pauseMs = FIRST_PAUSE_MS;
      return;
    }
    this.#tail = this.#log.tailOf(this.#streamId, this.#cursor, incarnation);
    if (this.#tail === undefined) {
      if (this.#entries.length === 0) await this.#pause();
      return;
    }
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#leaveTail = this.#tail.join();
    // Whoever aborts may never ask again.
    this.#signal?.addEventListener("abort", this.#leaveForGood, { once: true });
  }

  #hold(entries: readonly Entry[]): void {
    this.#entries = entries;
    this.#index = 0;
  }

  #leave(): void {
    this.#tail = undefined;
    this.#leaveTail?.();
    this.#leaveTail = undefined;
    this.#signal?.removeEventListener("abort", this.#leaveForGood);
  }

  #end(): void {
    this.#over = true;
    this.#leave();
  }

  /** Grows while there is reason for it. */
  async #pause(): Promise<void> {
    const delayMs = this.#pauseMs * (0.75 + Math.random() / 2);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    await this.#rest((wake) => this.#log.source.clock.schedule(delayMs, wake));
  }

  /** Until what is waited for is there, or nobody wants to know any more. */
  async #rest(waitFor: (wake: () => void) => () => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#wake = wake;
    const stopWaiting = waitFor(wake);
    const forget = this.#log.onClose(wake);
    this.#signal?.addEventListener("abort", wake, { once: true });
    // An abort from before this does not come twice.
    if (this.#signal?.aborted) wake();
    await promise;
    stopWaiting();
    forget();
    this.#signal?.removeEventListener("abort", wake);
    this.#wake = undefined;
  }
}
