import type { Clock } from "../ports/clock.ts";
import type { StoredMessage } from "./stored-message.ts";
import { TimedHeap } from "./timed-heap.ts";

/** Messages that wait for their time, with one timer for the earliest. */
export class Delays {
  readonly #clock: Clock;
  readonly #onDue: (messages: readonly StoredMessage[]) => void;
  readonly #waiting = new TimedHeap<StoredMessage>();
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, onDue: (messages: readonly StoredMessage[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** An endless delay is kept and never falls due. */
  add(message: StoredMessage, delayMs: number): void {
    this.#waiting.add(this.#clock.now() + delayMs, message);
    this.#arm();
  }

  clear(): void {
    this.#waiting.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const at = this.#waiting.nextAt ?? Number.POSITIVE_INFINITY;
    if (at >= (this.#timer?.at ?? Number.POSITIVE_INFINITY)) return;
    this.#timer?.cancel();
    this.#timer = { at, cancel: this.#clock.schedule(at - this.#clock.now(), this.#fire) };
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    const due: StoredMessage[] = [];
    for (let next = this.#waiting.takeDue(now); next !== undefined; next = this.#waiting.takeDue(now)) due.push(next);
    this.#arm();
    this.#onDue(due);
  };
}
