import { type Clock, isIntermodalError } from "@intermodal/core/ports";
import { Batch, type Publication } from "./publication.ts";
import type { Publisher } from "./publisher.ts";

export interface SenderOptions {
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly sendTimeoutMs: number;
}

/** Publishes and waits for the broker's confirmation. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Gets ready before the first message. */
  warmUp(): void {
    this.#options.publisher.warmUp();
  }

  /** @throws as {@link Batch.taken}. */
  publish(publication: Publication): Promise<void> {
    const { publisher, clock, sendTimeoutMs } = this.#options;
    const batch = new Batch(1);
    const deadline = publication.isPointless === undefined ? clock.now() + sendTimeoutMs : Number.POSITIVE_INFINITY;
    publisher.publish(publication, deadline, batch, 0);
    return batch.taken();
  }

  /**
   * Publishes what `prepare` makes of each item; what it throws is that item's failure, and the others are published.
   * @throws as {@link Batch.taken}.
   */
  publishAll<Item>(items: readonly Item[], prepare: (item: Item, now: number) => Publication): Promise<void> {
    const { publisher, clock, sendTimeoutMs } = this.#options;
    const now = clock.now();
    const batch = new Batch(items.length);
    for (const [at, item] of items.entries()) {
      try {
        publisher.publish(prepare(item, now), now + sendTimeoutMs, batch, at);
      } catch (error) {
        if (!isIntermodalError(error)) throw error;
        batch.settle(at, error);
      }
    }
    return batch.taken();
  }
}
