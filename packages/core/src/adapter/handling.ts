import { messageOf } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { type DeliveryHandler, RETRY_AFTER_REJECTION, type Settlement } from "../ports/delivery.ts";
import type { Logger } from "../ports/logger.ts";
import type { HeldDelivery } from "./held-delivery.ts";

export interface HandlingOptions<Raw> {
  /** In logs, such as `work on queue "default"`. */
  readonly what: string;
  readonly concurrency: number;
  readonly handle: DeliveryHandler;
  /**
   * Brings a settlement to the broker. Resolves once the broker has confirmed it, or it has become pointless because the delivery was lost. Not called for
   * a delivery that is lost when its handler ends.
   */
  readonly settle: (delivery: HeldDelivery<Raw>, settlement: Settlement) => Promise<void>;
  /** A slot has become free. */
  readonly onFree: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The deliveries that one consumption has in hand. Each takes a slot from `take` until its settlement is with the broker, so that what a
 * consumption asks its broker for is exactly what is free.
 */
export class Handling<Raw> {
  readonly #options: HandlingOptions<Raw>;
  readonly #held = new Set<HeldDelivery<Raw>>();
  readonly #onQuiet = new Set<() => void>();
  #running = 0;

  constructor(options: HandlingOptions<Raw>) {
    this.#options = options;
  }

  /** Every delivery in hand, those included whose settlement is on its way. */
  get held(): ReadonlySet<HeldDelivery<Raw>> {
    return this.#held;
  }

  get free(): number {
    return this.#options.concurrency - this.#held.size;
  }

  /** Hands a delivery to the handler, and brings what it says to the broker. */
  take(delivery: HeldDelivery<Raw>): void {
    this.#held.add(delivery);
    void this.#run(delivery);
  }

  /** Gives up those that `isGone` names: their signals abort and their settlements are dropped. */
  lose(isGone: (delivery: HeldDelivery<Raw>) => boolean): void {
    for (const delivery of this.#held) if (isGone(delivery)) delivery.lose();
  }

  /**
   * Resolves when nothing is in hand any more, or after `timeoutMs`; without it, it waits as long as handlers run.
   * @returns how many handlers still run.
   */
  quiet(timeoutMs: number | undefined): Promise<{ readonly running: number }> {
    return new Promise((resolve) => {
      const done = () => {
        this.#onQuiet.delete(check);
        cancel?.();
        resolve({ running: this.#running });
      };
      const check = () => {
        if (this.#held.size === 0) done();
      };
      const cancel = timeoutMs === undefined ? undefined : this.#options.clock.schedule(timeoutMs, done);
      this.#onQuiet.add(check);
      check();
    });
  }

  async #run(delivery: HeldDelivery<Raw>): Promise<void> {
    const { what, handle, settle, onFree, logger } = this.#options;
    this.#running++;
    let settlement: Settlement;
    try {
      settlement = await handle(delivery);
    } catch {
      settlement = RETRY_AFTER_REJECTION;
    }
    this.#running--;
    try {
      if (!delivery.isLost) await settle(delivery, settlement);
    } catch (error) {
      // What could not be settled comes again by itself when its lease or its connection ends.
      logger.warn(`${what}: message ${delivery.id} could not be settled`, { error: messageOf(error) });
    }
    this.#held.delete(delivery);
    for (const check of this.#onQuiet) check();
    onFree();
  }
}
