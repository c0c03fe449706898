import { isIntermodalError } from "../errors.ts";
import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import { type Followed, LogFollower } from "./log-follower.ts";
import type { LogPage, LogSource } from "./log-source.ts";
import { LogTail } from "./log-tail.ts";

/**
 * Follows logs that can only be read, from history to live, for any number of followers. Followers always read by their own cursors; a wake-up only says that there
 * may be something. So nothing is missed or doubled, whatever is lost or late. Those who have read all there is of one stream share one reader of what comes, and those who come at
 * the same time, as all do after a restart, what is being read.
 */
export class FollowLog implements Followed {
  readonly source: LogSource;
  readonly #tails = new Map<string, LogTail>();
  readonly #underWay = new Map<string, Promise<LogPage>>();
  readonly #waiting = new Set<() => void>();

  constructor(source: LogSource) {
    this.source = source;
  }

  /** How many streams somebody waits at the end of. */
  get tails(): number {
    return this.#tails.size;
  }

  follow(
    streamId: string,
    { after = 0, signal }: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<StoredRunEvent | StreamGap> {
    return { [Symbol.asyncIterator]: () => new LogFollower(this, streamId, after, signal) };
  }

  /** What came after a page that was asked for a moment ago, the tail reads: it looks when it has begun to listen. */
  async read(streamId: string, after: number): Promise<LogPage> {
    const key = `${after}:${streamId}`;
    try {
      const underWay = this.#underWay.get(key);
      if (underWay !== undefined) return await underWay;
    } catch (error) {
      // Where the position did not exist, it may have come to be since that was asked for.
      if (isIntermodalError(error, "UNAVAILABLE")) throw error;
    }
    const reading = this.source.read(streamId, after);
    this.#underWay.set(key, reading);
    try {
      return await reading;
    } finally {
      if (this.#underWay.get(key) === reading) this.#underWay.delete(key);
    }
  }

  tailOf(streamId: string, after: number, incarnation: string | undefined): LogTail | undefined {
    const found = this.#tails.get(streamId);
    if (found !== undefined) {
      if (found.incarnation === incarnation) return found;
      // One of the two has not noticed yet what the other has: the next reading tells.
      found.wake();
      return undefined;
    }
    const tail = new LogTail(this.source, streamId, { after, incarnation }, () => {
      if (this.#tails.get(streamId) === tail) this.#tails.delete(streamId);
    });
    this.#tails.set(streamId, tail);
    return tail;
  }

  onClose(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** Wakes every follower: `assertOpen` then tells them why. */
  close(): void {
    for (const tail of [...this.#tails.values()]) tail.stop();
    for (const wake of [...this.#waiting]) wake();
  }
}
