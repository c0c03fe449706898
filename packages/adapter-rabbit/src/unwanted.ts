import type { HeldDelivery } from "@intermodal/core/adapter";
import type { Client } from "./client.ts";
import type { Place } from "./names.ts";
import type { Raw } from "./settlement.ts";

/**
 * Tells the events that a listener asked for once and does not any more: RabbitMQ does not say what a queue is bound to, so an old binding is known by
 * what it still brings, and then removed.
 */
export class Unwanted {
  readonly #client: Client;
  readonly #place: Place;
  readonly #types: ReadonlySet<string>;
  readonly #unbound = new Set<string>();

  constructor(client: Client, place: Place, types: readonly string[]) {
    this.#client = client;
    this.#place = place;
    this.#types = new Set(types);
  }

  has({ type, raw }: HeldDelivery<Raw>): boolean {
    if (this.#types.has(type)) return false;
    const { link } = raw.subscription;
    const { events } = this.#client.names;
    if (raw.message.fields.exchange === events && !this.#unbound.has(type)) {
      this.#unbound.add(type);
      link
        .using((channel) => channel.unbindQueue(this.#place.queue, events, type))
        .catch(() => {
          // It is left for the next one to try.
          this.#unbound.delete(type);
        });
    }
    return true;
  }
}
