import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import { type Followed, LogFollower } from "./log-follower.ts";
import type { LogSource } from "./log-source.ts";
import { LogTail } from "./log-tail.ts";

/**
 * Follows logs that can only be read, from history to live, for any number of followers. Followers always read by their own cursors; a wake-up only says that there
 * may be something. So nothing is missed or doubled, whatever is lost or late. Those who have read all there is of one stream share one reader of what comes.
 */
export class FollowLog implements Followed {
  readonly source: LogSource;
  readonly #tails = new Map<string, LogTail>();
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
