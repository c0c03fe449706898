import type { Clock } from "../ports/clock.ts";
import type { StreamPage } from "../ports/event-stream.ts";

/** Part of a stream's log, as one step saw it. */
export interface LogPage extends StreamPage {
  /** Tells streams of the same id apart, one of which came after the other had expired; absent where nothing was appended yet. */
  readonly incarnation: string | undefined;
  /** About how much its events hold. */
  readonly bytes: number;
}

/** The logs that are followed. */
export interface LogSource {
  readonly clock: Clock;
  /** How long to wait for a wake-up before looking all the same, at the most; half of it at the least. */
  readonly pollMs: number;
  /**
   * Reads a bounded page: a few hundred events, a few megabytes. Where the stream has something after `after`, the page has an event or a gap.
   * @throws `CURSOR_INVALID`; `UNAVAILABLE`, which is waited out; anything else ends what follows.
   */
  read(streamId: string, after: number): Promise<LogPage>;
  /**
   * Calls `wake` when something may have been appended, and once when it has begun to listen; it may be late, and it may call for nothing.
   * Absent: there is only polling.
   * @returns stops it.
   */
  watch?(streamId: string, wake: () => void): () => void;
  /** @throws `CLOSED`. */
  assertOpen(what: string): void;
}
