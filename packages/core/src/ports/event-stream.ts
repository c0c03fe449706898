import type { JsonValue } from "./json.ts";

/** An entry of a run's stream, to be appended. */
export interface NewRunEvent {
  /** Who writes, unique per writing process and run, and the writer's own count from 1: together they name the event, so that it is stored once. */
  readonly writer: string;
  readonly n: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** What it comes from: a task's id, or a name of the application's. */
  readonly source: string;
  /** Its name, such as `lifecycle.started` or `token`. No CR, LF or NUL. */
  readonly event: string;
  readonly data: JsonValue;
}

/** An entry of a run's stream. */
export interface StoredRunEvent {
  readonly streamId: string;
  /** Gapless from 1 within the stream. */
  readonly sequence: number;
  readonly timestamp: number;
  readonly source: string;
  readonly event: string;
  readonly data: JsonValue;
}

/** Entries `from` to `to` (both included) were asked for and are gone: the cap took them. */
export interface StreamGap {
  readonly gap: { readonly from: number; readonly to: number };
}

/** Events for one stream, in order. */
export interface StreamAppend {
  readonly streamId: string;
  readonly events: readonly NewRunEvent[];
}

/** The end of one stream. */
export interface StreamFinish {
  readonly streamId: string;
  /** The terminal event. */
  readonly event: NewRunEvent;
  /** How long after this the stream is kept. */
  readonly ttlMs: number;
}

/** Which part of a stream. */
export interface ReadOptions {
  /**
   * The sequence after which to start.
   * @default 0
   */
  readonly after?: number | undefined;
  /** @default 1,000 */
  readonly limit?: number | undefined;
}

/** Part of a stream, and how the stream stands. */
export interface StreamPage {
  readonly events: readonly StoredRunEvent[];
  /** What was asked for and is gone. */
  readonly gap?: StreamGap["gap"] | undefined;
  /** The highest sequence the stream has; 0 where nothing was appended yet. */
  readonly last: number;
  /** The stream has its terminal event: nothing will come after `last`. */
  readonly ended: boolean;
}

/** What an instance keeps, and for how long. */
export interface EventStreamCapabilities {
  /** How many of the newest events of a stream are kept at the least. */
  readonly maxEvents: number;
  /** The longest `data` as JSON; at least 1,048,576. A longer one rejects with `PAYLOAD_TOO_LARGE`. */
  readonly maxDataBytes: number;
  /** How long a stream that is never finished is kept after its latest append. */
  readonly safetyTtlMs: number;
  readonly ttlGranularityMs: number;
}

/**
 * The streams of what runs are doing.
 *
 * Ordering: sequences are gapless from 1 in each stream, under any number of concurrent writers. Every method may be called at any time,
 * rejects with `UNAVAILABLE` when the store cannot be reached within a bounded time, and with `CLOSED` after the adapter's `close()`.
 */
export interface EventStream {
  readonly capabilities: EventStreamCapabilities;

  /**
   * Appends each item's events in their order, contiguous per item, and renews the stream's safety expiry. Repeating an append whose answer was
   * lost stores nothing twice and returns the first sequences, also after the end.
   * @returns the sequence of every event, per item.
   * @throws {BatchError} when only some items failed. @throws `STREAM_ENDED` after the end, `PAYLOAD_TOO_LARGE`, `VALIDATION_FAILED` (CR, LF or NUL in a
   * name), `UNAVAILABLE`, `CLOSED`.
   */
  append(appends: readonly StreamAppend[]): Promise<readonly (readonly number[])[]>;

  /**
   * Appends the terminal event, refuses all others from then on, and lets the stream expire after `ttlMs`, in one step. Repeating it, with whatever event,
   * changes nothing: the first one stands.
   */
  finish(finishes: readonly StreamFinish[]): Promise<void>;

  /**
   * What is kept after a sequence, in order. A stream nobody has appended to reads as empty. A page may hold fewer events than `limit` though there are more, since stores bound its
   * bytes: read on after its last event until that is `last`.
   * @throws `CURSOR_INVALID` when `after` is not a sequence the stream has had (negative, fractional, beyond the last, or from before an expiry).
   */
  read(streamId: string, options?: ReadOptions): Promise<StreamPage>;

  /**
   * From history to live: every event after `after` exactly once, in order; a gap where the cap took what was asked for; ends after the terminal
   * event, or when `signal` aborts. Waits where nothing was appended yet. A slow reader delays nobody and holds a bounded amount: it reads from the log, and is told a
   * gap when the cap overtakes it. Survives restarts and cuts of the store by itself.
   * @throws `CURSOR_INVALID`, when iteration starts. @throws `CLOSED` when the adapter is closed meanwhile, and `CURSOR_INVALID` when the stream
   * expires meanwhile.
   */
  follow(
    streamId: string,
    options?: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<StoredRunEvent | StreamGap>;
}
