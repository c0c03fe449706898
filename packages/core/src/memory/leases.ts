import type { Clock } from "../ports/clock.ts";
import type { StoredMessage } from "./stored-message.ts";

/** Messages in flight, each with a holder until its lease runs out, with one timer for all of them. */
export class Leases {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #onExpired: (messages: readonly StoredMessage[]) => void;
  /** In no order: a message knows its place. */
  readonly #held: StoredMessage[] = [];
  #cancelCheck: (() => void) | undefined;

  constructor(clock: Clock, leaseMs: number, onExpired: (messages: readonly StoredMessage[]) => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#held.length;
  }

  /** Begins a delivery under the message's next tag. */
  hold(message: StoredMessage): void {
    message.tag++;
    message.left = false;
    message.leaseUntil = this.#clock.now() + this.#leaseMs;
    message.place = this.#held.length;
    this.#held.push(message);
    if (this.#cancelCheck === undefined) this.#checkIn(this.#leaseMs);
  }

  /** Whether the delivery with this tag still holds the message. */
  holds(message: StoredMessage, tag: number): boolean {
    return message.place >= 0 && message.tag === tag;
  }

  renew(message: StoredMessage): void {
    message.leaseUntil = this.#clock.now() + this.#leaseMs;
  }

  release(message: StoredMessage): void {
    const last = this.#held.pop() as StoredMessage;
    if (last !== message) {
      this.#held[message.place] = last;
      last.place = message.place;
    }
    message.place = -1;
  }

  clear(): void {
    for (const message of this.#held) message.place = -1;
    this.#held.length = 0;
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
  }

  /** No earlier than the first lease can run out: leases only get longer, and new ones end later. */
  #checkIn(ms: number): void {
    this.#cancelCheck = this.#clock.schedule(ms, this.#check);
  }

  readonly #check = (): void => {
    this.#cancelCheck = undefined;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    const expired: StoredMessage[] = [];
    for (const message of this.#held) {
      if (message.leaseUntil <= now) expired.push(message);
      else next = Math.min(next, message.leaseUntil);
    }
    for (const message of expired) this.release(message);
    if (next !== Number.POSITIVE_INFINITY) this.#checkIn(next - now);
    if (expired.length > 0) this.#onExpired(expired);
  };
}
