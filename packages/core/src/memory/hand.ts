import type { MemoryDelivery } from "./memory-delivery.ts";

/** The deliveries that a client has in hand: O(1) to take and put down. */
export class Hand {
  readonly #held: MemoryDelivery[] = [];

  get size(): number {
    return this.#held.length;
  }

  take(delivery: MemoryDelivery): void {
    delivery.place = this.#held.length;
    this.#held.push(delivery);
  }

  putDown(delivery: MemoryDelivery): void {
    const last = this.#held.pop() as MemoryDelivery;
    if (last === delivery) return;
    this.#held[delivery.place] = last;
    last.place = delivery.place;
  }

  /** Renews every lease: on the server's side. @returns the deliveries that are somebody else's now. */
  renewAll(): readonly MemoryDelivery[] {
    return this.#held.filter((delivery) => !delivery.isLost && !delivery.renew());
  }

  /** Gives up what has run out by the client's reckoning. */
  loseExpired(now: number): void {
    for (const delivery of this.#held) if (delivery.leaseUntil <= now) delivery.lose();
  }
}
