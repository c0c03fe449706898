import type { HeldDelivery } from "@intermodal/core/adapter";
import { type Clock, isIntermodalError, type Settlement, sleep } from "@intermodal/core/ports";
import type { ConsumeMessage, Options } from "amqplib";
import { MAX_DELAY_MS } from "./delays.ts";
import { again, dead } from "./headers.ts";
import type { Place } from "./names.ts";
import type { Route } from "./publication.ts";
import type { Routes } from "./routes.ts";
import type { Sender } from "./sender.ts";
import type { Subscription } from "./subscription.ts";

/** What is needed to settle a delivery. */
export interface Raw {
  readonly message: ConsumeMessage;
  readonly subscription: Subscription;
}

/** Before a copy is tried again that could not be brought to the broker. */
const PAUSE_MS = 1_000;
/** How long what somebody else is to settle is put aside: long enough to be done by then. */
const LEFT_MS = 10_000;

export interface SettlerOptions {
  readonly place: Place;
  readonly routes: Routes;
  readonly sender: Sender;
  readonly clock: Clock;
}

/**
 * Settles the deliveries of one place. Whatever is not acknowledged is published again, confirmed, before its first copy is acknowledged: a crash in
 * between doubles it and never loses it, and only what shall count is counted, on every version of the broker.
 */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  settle(delivery: HeldDelivery<Raw>, settlement: Settlement): Promise<void> {
    const { message, subscription } = delivery.raw;
    const { attempt } = delivery;
    switch (settlement.kind) {
      case "ack":
        subscription.ack(message);
        return DONE;
      case "retry":
        return this.#retry(delivery, settlement.delayMs, settlement.counted ? attempt : attempt - 1);
      case "leave":
        // On a living channel it would stay unsettled for ever, and its slot with it.
        return this.#retry(delivery, LEFT_MS, attempt - 1);
      case "dead-letter": {
        const { routes, place, clock } = this.#options;
        return this.#replace(delivery, routes.dead(place), dead(message, delivery, settlement, clock.now()));
      }
    }
  }

  /** Lets somebody else have it at once, uncounted. */
  handBack(delivery: HeldDelivery<Raw>): Promise<void> {
    return this.#retry(delivery, 0, delivery.attempt - 1);
  }

  #retry(delivery: HeldDelivery<Raw>, wishedMs: number, tries: number): Promise<void> {
    const { routes, place } = this.#options;
    const properties = again(delivery.raw.message, delivery, tries);
    const delayMs = Math.min(Math.ceil(wishedMs), MAX_DELAY_MS);
    if (!(delayMs > 0)) return this.#replace(delivery, routes.to(place), properties);
    return this.#replace(delivery, routes.later(place, delayMs), properties, this.#options.clock.now() + delayMs);
  }

  /** Tries as long as the delivery is held: while the publishing connection is blocked the consuming one goes on. */
  async #replace(
    delivery: HeldDelivery<Raw>,
    route: Route,
    properties: Options.Publish,
    dueAt?: number,
  ): Promise<void> {
    const { sender, clock } = this.#options;
    const { message, subscription } = delivery.raw;
    const { body } = delivery;
    while (!delivery.isLost) {
      try {
        await sender.publish({ route, body, properties, dueAt, isPointless: () => delivery.isLost });
        subscription.ack(message);
        return;
      } catch (error) {
        await sleep(clock, PAUSE_MS);
        if (isIntermodalError(error, "UNAVAILABLE")) continue;
        subscription.giveBack(message);
        throw error;
      }
    }
  }
}

const DONE = Promise.resolve();
