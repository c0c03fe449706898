import type { Clock } from "../ports/clock.ts";
import { Roster } from "../roster.ts";
import type { FlushOutcome, FlushWaiter, StreamQueue } from "./stream-queue.ts";

/** Who waits for what of which stream to be stored. One timer serves them all. */
export class FlushWaiters {
  readonly #clock: Clock;
  /** The queues that somebody waits for. */
  readonly #queues = new Roster<StreamQueue>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  /** For how long anybody has waited at most. */
  #longestMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get any(): boolean {
    return this.#queues.size > 0;
  }

  /** Resolves once nothing of what was emitted so far waits any more, at the latest at the deadline. */
  wait(queue: StreamQueue, deadline: number): Promise<FlushOutcome> {
    return new Promise((resolve) => {
      const waiter = { upTo: queue.emitted, deadline, resolve };
      if (queue.waiters.length === 0) {
        queue.waiters = [waiter];
        this.#queues.add(queue);
      } else queue.waiters.push(waiter);
      this.#longestMs = Math.max(this.#longestMs, deadline - this.#clock.now());
      this.#arm(deadline);
    });
  }

  /** To be called whenever something of the queue was stored or lost. */
  progress(queue: StreamQueue): void {
    if (queue.waiters.length > 0) this.#keep(queue, (waiter) => waiter.upTo > queue.done, queue.outcome);
  }

  #keep(queue: StreamQueue, still: (waiter: FlushWaiter) => boolean, outcome: FlushOutcome): void {
    const { waiters } = queue;
    queue.waiters = waiters.filter(still);
    if (queue.waiters.length === 0) this.#queues.delete(queue);
    for (const waiter of waiters) if (!still(waiter)) waiter.resolve(outcome);
  }

  #arm(deadline: number): void {
    if (this.#timer !== undefined && this.#timer.at <= deadline) return;
    this.#timer?.cancel();
    const cancel = this.#clock.schedule(deadline - this.#clock.now(), () => this.#expire(deadline));
    this.#timer = { at: deadline, cancel };
  }

  /** @param hasCome The timer's time, whatever the clock shows: it may have been set back meanwhile. */
  #expire(hasCome: number): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    const latest = now + this.#longestMs;
    let next = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues) {
      this.#keep(queue, (waiter) => waiter.deadline > Math.max(now, hasCome), "waiting");
      queue.waiters = queue.waiters.map((waiter) => ({ ...waiter, deadline: Math.min(waiter.deadline, latest) }));
      for (const waiter of queue.waiters) next = Math.min(next, waiter.deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
  }
}
