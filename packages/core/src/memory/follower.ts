import { invalidCursor } from "../adapter/run-events.ts";
import { isIntermodalError } from "../errors.ts";
import type { StoredRunEvent, StreamGap, StreamPage } from "../ports/event-stream.ts";
import type { MemoryConnection } from "./connection.ts";
import type { StreamTable } from "./stream-table.ts";

/** Events taken from the log at once: all that a slow reader holds. */
const PAGE_SIZE = 256;

type Entry = StoredRunEvent | StreamGap;
type Result = IteratorResult<Entry, undefined>;

const DONE: Result = { done: true, value: undefined };

/**
 * One reader of one stream. It always reads from the log, by its own cursor; being woken only says that there may be something. So nothing is missed
 * between history and live, nor while the connection was away, and a reader that is not asking costs the stream nothing.
 */
export class Follower implements AsyncIterator<Entry, undefined> {
  readonly #streams: StreamTable;
  readonly #connection: MemoryConnection;
  readonly #streamId: string;
  readonly #signal: AbortSignal | undefined;
  /** The sequence of what was read last. */
  #cursor: number;
  /** Of the stream that the cursor belongs to. */
  #generation: number | undefined;
  #entries: readonly Entry[] = [];
  #index = 0;
  /** The terminal event is among the entries, or has been handed out. */
  #ended = false;
  #over = false;
  #wake: (() => void) | undefined;
  #asked: Promise<unknown> = Promise.resolve();
  #open = 0;

  constructor(
    streams: StreamTable,
    connection: MemoryConnection,
    streamId: string,
    after: number,
    signal: AbortSignal | undefined,
  ) {
    this.#streams = streams;
    this.#connection = connection;
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
    this.#over = true;
    this.#wake?.();
    return DONE;
  }

  readonly #answered = () => {
    this.#open--;
  };

  async #advance(): Promise<Result> {
    try {
      for (;;) {
        if (this.#over || this.#signal?.aborted) return DONE;
        if (this.#connection.isKilled) return await new Promise<never>(() => {});
        this.#connection.assertOpen("follow");
        const entry = this.#entries[this.#index];
        if (entry !== undefined) {
          this.#index++;
          return { done: false, value: entry };
        }
        if (this.#ended) return DONE;
        await this.#fill();
      }
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  /** Gets the next page, or waits until there may be one. */
  async #fill(): Promise<void> {
    const woken = Promise.withResolvers<void>();
    let stopWaiting: (() => void) | undefined;
    this.#entries = [];
    const wait = (streamId: string) => {
      stopWaiting = this.#streams.wait(streamId, woken.resolve);
    };
    try {
      this.#take(await this.#connection.call("follow", () => this.#read(wait)));
    } catch (error) {
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
      stopWaiting?.();
      // The answer alone may have been lost: then the connection is there already.
      if (this.#connection.isUp) return;
    }
    if (this.#entries.length === 0 && !this.#ended) await this.#sleep(woken, () => stopWaiting?.());
  }

  /** At the server: reading, and waiting where there is nothing to read, are one step. */
  #read(wait: (streamId: string) => void): StreamPage {
    const generation = this.#streams.find(this.#streamId)?.generation;
    if (this.#generation !== undefined && this.#generation !== generation) {
      throw invalidCursor(this.#streamId, this.#cursor, 0);
    }
    const page = this.#streams.read(this.#streamId, this.#cursor, PAGE_SIZE);
    if (page.events.length === 0 && !page.ended) wait(this.#streamId);
    else this.#generation = generation;
    return page;
  }

  #take({ events, gap, last, ended }: StreamPage): void {
    this.#entries = gap === undefined ? events : [{ gap }, ...events];
    this.#index = 0;
    this.#cursor = events.at(-1)?.sequence ?? this.#cursor;
    this.#ended = ended && this.#cursor === last;
  }

  /** Until the stream has something, the connection is back or closed, or nobody wants to know any more. A dead process sleeps for ever. */
  async #sleep(woken: PromiseWithResolvers<void>, letGo: () => void): Promise<void> {
    const connection = this.#connection;
    const forget = [connection.onLost(letGo), connection.onBack(woken.resolve), connection.onClosed(woken.resolve)];
    this.#wake = woken.resolve;
    this.#signal?.addEventListener("abort", this.#wake, { once: true });
    // What happened before this was heard: the connection's fate shows, and an abort does not come twice.
    if (this.#over || this.#signal?.aborted || connection.isClosed) woken.resolve();
    await woken.promise;
    letGo();
    for (const stop of forget) stop();
    this.#signal?.removeEventListener("abort", this.#wake);
    this.#wake = undefined;
  }
}
