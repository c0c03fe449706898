import { invalidCursor } from "../adapter/run-events.ts";
import type { Clock } from "../ports/clock.ts";
import type { NewRunEvent, StreamPage } from "../ports/event-stream.ts";
import { ClockHand } from "./clock-hand.ts";
import { StreamLog } from "./stream-log.ts";
import { StreamWaiters } from "./stream-waiters.ts";

/** How long a stream that is never finished is kept after its latest append. */
export const SAFETY_TTL_MS = 24 * 60 * 60 * 1_000;

/** Streams looked at for expiry whenever one is made. */
const EXPIRY_STEPS = 2;

/** The streams of one namespace. */
export class StreamTable {
  readonly #clock: Clock;
  readonly #maxEvents: number;
  readonly #logs = new Map<string, StreamLog>();
  readonly #hand = new ClockHand(this.#logs);
  readonly #waiters: StreamWaiters;
  #generations = 0;

  constructor(clock: Clock, maxEvents: number) {
    this.#clock = clock;
    this.#maxEvents = maxEvents;
    this.#waiters = new StreamWaiters(clock, (streamId) => this.find(streamId)?.expiresAt);
  }

  get size(): number {
    return this.#logs.size;
  }

  /** How many followers wait for something new. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** The stream, unless it has expired. */
  find(streamId: string): StreamLog | undefined {
    const log = this.#logs.get(streamId);
    if (log === undefined || log.expiresAt > this.#clock.now()) return log;
    this.#remove(log);
    return undefined;
  }

  /** @throws `STREAM_ENDED`. */
  append(streamId: string, events: readonly NewRunEvent[]): number[] {
    const log = this.find(streamId) ?? this.#create(streamId);
    const sequences = log.append(events);
    if (!log.ended) log.expiresAt = this.#clock.now() + SAFETY_TTL_MS;
    this.#waiters.wake(streamId);
    return sequences;
  }

  finish(streamId: string, event: NewRunEvent, ttlMs: number): void {
    const log = this.find(streamId) ?? this.#create(streamId);
    if (!log.finish(event)) return;
    log.expiresAt = this.#clock.now() + ttlMs;
    this.#waiters.wake(streamId);
  }

  /** @throws `CURSOR_INVALID`. */
  read(streamId: string, after: number, limit: number): StreamPage {
    const log = this.find(streamId);
    if (!Number.isInteger(after) || after < 0) throw invalidCursor(streamId, after, log?.last ?? 0);
    if (log !== undefined) return log.read(after, limit);
    if (after > 0) throw invalidCursor(streamId, after, 0);
    return { events: [], last: 0, ended: false };
  }

  /** Runs `wake` once, when there may be something new to read. @returns stops it. */
  wait(streamId: string, wake: () => void): () => void {
    return this.#waiters.add(streamId, wake);
  }

  #create(streamId: string): StreamLog {
    const now = this.#clock.now();
    const log = new StreamLog(streamId, ++this.#generations, now + SAFETY_TTL_MS, this.#maxEvents);
    this.#logs.set(streamId, log);
    this.#hand.turn(EXPIRY_STEPS, (other) => {
      if (other.expiresAt <= now) this.#remove(other);
    });
    return log;
  }

  #remove(log: StreamLog): void {
    this.#logs.delete(log.streamId);
    this.#waiters.wake(log.streamId);
  }
}
