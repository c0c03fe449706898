import { IntermodalError } from "../errors.ts";
import { systemClock } from "../ports/clock.ts";
import { eventId, positionOf } from "./event-id.ts";
import { fromWire, type RunEvent, type RunGap, TERMINAL_EVENTS } from "./run-event.ts";
import { Interrupted, sseMessages } from "./sse-connection.ts";

export type HeaderRecord = Readonly<Record<string, string>>;

/** How to come back after the connection broke. */
export interface ReconnectOptions {
  /**
   * The first pause; it doubles with every try in vain, and chance shortens each by up to a half, so that not all clients come back at once.
   * @default what the server asks for, else 1,000
   */
  readonly initialMs?: number | undefined;
  /**
   * The longest pause, unless the server asks for a longer one.
   * @default 10,000
   */
  readonly maxMs?: number | undefined;
}

/** A connection that could not be made, or ended before the run did. */
export interface Interruption {
  /** For people. */
  readonly reason: string;
  /** When the next try begins, in milliseconds from now. */
  readonly pauseMs: number;
}

export interface FollowRunOptions {
  /**
   * What makes the requests.
   * @default the global `fetch`
   */
  readonly fetch?: typeof fetch | undefined;
  /** Sent with every request. A function is called for each, so that a token can be a fresh one; what it throws ends the iteration. */
  readonly headers?: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>) | undefined;
  /**
   * The `id` of the last event that is known already. The segment that it is of is followed to its end; where the run has been replayed since, follow it once more without.
   * @default from the start of the current segment
   */
  readonly lastEventId?: string | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  readonly retry?: ReconnectOptions | undefined;
  /**
   * A connection on which nothing came for so long, not even a heartbeat, is taken for dead.
   * @default 45,000
   */
  readonly idleMs?: number | undefined;
  /** Told each time that a connection stands over which events come: not of one that only says why none can. */
  readonly onOpen?: (() => void) | undefined;
  /** Told each time that there is no connection, before the pause: what a page may show. What it throws ends the iteration. */
  readonly onInterrupted?: ((interruption: Interruption) => void) | undefined;
  /** Told of events that are gone. Without it they are yielded among the events. */
  readonly onGap?: ((gap: RunGap["gap"]) => void) | undefined;
}

/** How often in a row a server may leave out events without a word before it is taken to be at fault. */
const MAX_SKIPS = 5;

/** Follows a run over as many connections as it takes. */
export async function* follow(
  url: string,
  options: FollowRunOptions,
): AsyncGenerator<RunEvent | RunGap, void, undefined> {
  const position = new Position(options.lastEventId ?? "0");
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (options.signal?.aborted) return;
  options.signal?.addEventListener("abort", abort, { once: true });
  const pauses = new Pauses(options.retry ?? {});
  try {
    while (!stop.signal.aborted) {
      const openedAt = systemClock.now();
      try {
        const messages = sseMessages({
          url,
          fetch: options.fetch ?? fetch,
          headers: typeof options.headers === "function" ? await options.headers() : (options.headers ?? {}),
          lastEventId: position.lastId,
          signal: stop.signal,
          idleMs: options.idleMs ?? 45_000,
          clock: systemClock,
          onOpen: () => options.onOpen?.(),
          onRetry: (pauseMs) => pauses.hint(pauseMs),
        });
        for await (const message of messages) {
          const entry = position.accept(fromWire(message.data, message.id));
          if (entry === undefined) continue;
          pauses.reset();
          if ("gap" in entry && options.onGap !== undefined) options.onGap(entry.gap);
          else yield entry;
          if (stop.signal.aborted || ("name" in entry && TERMINAL_EVENTS.includes(entry.name))) return;
        }
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof Interrupted)) throw error;
        const pauseMs = pauses.next(error, systemClock.now() - openedAt);
        options.onInterrupted?.({ reason: error.message, pauseMs });
        await pause(pauseMs, stop.signal);
      }
    }
  } finally {
    options.signal?.removeEventListener("abort", abort);
    stop.abort();
  }
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Ends early when the signal aborts. Unlike the clock's timers it keeps a program alive: of one that only follows, nothing else does meanwhile. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Where a follower stands: what came is neither given out twice nor left out. */
class Position {
  /** Unknown until something has come. */
  #segment: number | undefined;
  #last: number;
  #skips = 0;

  /** @throws `CURSOR_INVALID`. */
  constructor(lastEventId: string) {
    const position = positionOf(lastEventId);
    this.#segment = position?.segment;
    this.#last = position?.sequence ?? 0;
  }

  /** `undefined` before the first event. */
  get lastId(): string | undefined {
    return this.#segment === undefined ? undefined : eventId({ segment: this.#segment, sequence: this.#last });
  }

  /** @returns `undefined` for what is known already. @throws {Interrupted} when something is missing before it. */
  accept({ segment, entry }: ReturnType<typeof fromWire>): RunEvent | RunGap | undefined {
    this.#segment ??= segment;
    if (segment !== this.#segment)
      throw new IntermodalError(
        "DECODE_FAILED",
        `the server goes on in segment ${segment} of the run, not ${this.#segment}`,
      );
    const next = this.#last + 1;
    const { from, to } = "gap" in entry ? entry.gap : { from: entry.sequence, to: entry.sequence };
    if (to < next) return undefined;
    if (from > next) throw this.#skipped(next, from - 1);
    this.#last = to;
    this.#skips = 0;
    return "gap" in entry ? { gap: { from: next, to } } : entry;
  }

  #skipped(from: number, to: number): Error {
    if (++this.#skips < MAX_SKIPS) return new Interrupted(`the server left out events ${from} to ${to}`);
    return new IntermodalError(
      "DECODE_FAILED",
      `the server leaves out events ${from} to ${to} each time and does not say that they are gone`,
    );
  }
}

class Pauses {
  readonly #options: ReconnectOptions;
  #hintMs = 1_000;
  #failures = 0;

  constructor(options: ReconnectOptions) {
    this.#options = options;
  }

  hint(pauseMs: number): void {
    this.#hintMs = pauseMs;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** How long to wait after a connection that held for `heldMs`. */
  next(interruption: Interrupted, heldMs: number): number {
    const { initialMs = this.#hintMs, maxMs = 10_000 } = this.#options;
    // A quiet run's connection that some proxy ended after its time was not in vain.
    if (heldMs >= maxMs) this.#failures = 0;
    const pause = Math.min(initialMs * 2 ** this.#failures++, maxMs);
    return Math.max(pause * (1 - Math.random() / 2), interruption.retryAfterMs ?? 0);
  }
}
