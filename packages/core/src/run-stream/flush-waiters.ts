import type { Clock } from "../ports/clock.ts";
import type { StreamQueue } from "./stream-queue.ts";

interface Waiter {
  readonly upTo: number;
  readonly deadline: number;
  readonly resolve: (stored: boolean) => void;
}

/** Who waits for what of which stream to be stored. One timer serves them all. */
export class FlushWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Map<StreamQueue, Waiter[]>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get any(): boolean {
    return this.#waiters.size > 0;
  }

  /** Resolves to true once all that was emitted so far has been stored; to false when some of it was lost, or at the deadline. */
  wait(queue: StreamQueue, deadline: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = { upTo: queue.emitted, deadline, resolve };
      const others = this.#waiters.get(queue);
      if (others === undefined) this.#waiters.set(queue, [waiter]);
      else others.push(waiter);
      this.#arm(deadline);
    });
  }

  /** To be called whenever something of the queue was stored or lost. */
  progress(queue: StreamQueue): void {
    const waiters = this.#waiters.get(queue);
    if (waiters !== undefined) this.#keep(queue, waiters, (waiter) => waiter.upTo > queue.done, queue.lost === 0);
  }

  #keep(queue: StreamQueue, waiters: readonly Waiter[], still: (waiter: Waiter) => boolean, stored: boolean): void {
    const left: Waiter[] = [];
    for (const waiter of waiters) {
      if (still(waiter)) left.push(waiter);
      else waiter.resolve(stored);
    }
    if (left.length === 0) this.#waiters.delete(queue);
    else this.#waiters.set(queue, left);
  }

  #arm(deadline: number): void {
    if (this.#timer !== undefined && this.#timer.at <= deadline) return;
    this.#timer?.cancel();
    const cancel = this.#clock.schedule(deadline - this.#clock.now(), () => this.#expire());
    this.#timer = { at: deadline, cancel };
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [queue, waiters] of [...this.#waiters]) {
      this.#keep(queue, waiters, (waiter) => waiter.deadline > now, false);
      for (const waiter of this.#waiters.get(queue) ?? []) next = Math.min(next, waiter.deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
  }
}
