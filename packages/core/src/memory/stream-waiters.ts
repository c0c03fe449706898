import type { Clock } from "../ports/clock.ts";

interface Waiting {
  readonly wakes: Set<() => void>;
  cancelTimer: (() => void) | undefined;
}

/** Followers that have read all there is, by stream. One timer per stream with waiters tells them when it expires. */
export class StreamWaiters {
  readonly #clock: Clock;
  readonly #expiryOf: (streamId: string) => number | undefined;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock, expiryOf: (streamId: string) => number | undefined) {
    this.#clock = clock;
    this.#expiryOf = expiryOf;
  }

  get size(): number {
    let size = 0;
    for (const { wakes } of this.#waiting.values()) size += wakes.size;
    return size;
  }

  /** @returns stops it. */
  add(streamId: string, wake: () => void): () => void {
    let waiting = this.#waiting.get(streamId);
    if (waiting === undefined) {
      waiting = { wakes: new Set(), cancelTimer: undefined };
      this.#waiting.set(streamId, waiting);
      this.#watchExpiry(streamId, waiting);
    }
    const { wakes } = waiting;
    wakes.add(wake);
    return () => {
      if (wakes.delete(wake) && wakes.size === 0 && this.#waiting.get(streamId)?.wakes === wakes) this.#take(streamId);
    };
  }

  /** Wakes everybody who waits; who wants to be woken again says so again. */
  wake(streamId: string): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#take(streamId);
    if (waiting === undefined) return;
    for (const wake of waiting.wakes) wake();
  }

  #take(streamId: string): Waiting | undefined {
    const waiting = this.#waiting.get(streamId);
    this.#waiting.delete(streamId);
    waiting?.cancelTimer?.();
    return waiting;
  }

  /** A stream nobody has appended to yet cannot expire: its first append wakes everybody. */
  #watchExpiry(streamId: string, waiting: Waiting): void {
    const expiresAt = this.#expiryOf(streamId);
    if (expiresAt === undefined) return;
    waiting.cancelTimer = this.#clock.schedule(expiresAt - this.#clock.now(), () => this.wake(streamId));
  }
}
