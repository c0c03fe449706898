import {
  type Consumption,
  type DeadLetters,
  type DeliveryHandler,
  type EventBus,
  type EventBusCapabilities,
  IntermodalError,
  type ListenerInspection,
  type ListenerName,
  type ListenOptions,
  listenerKey,
  type OutgoingEvent,
} from "@intermodal/core/ports";
import type { Client } from "./client.ts";
import { RabbitConsumption } from "./consumption.ts";
import { RabbitDeadLetters } from "./dead-letters.ts";
import { MAX_DELAY_MS } from "./delays.ts";
import { channelFailure } from "./errors.ts";
import { incoming, outgoing } from "./headers.ts";
import { countReady } from "./inspect.ts";
import type { Place } from "./names.ts";
import { Unwanted } from "./unwanted.ts";

/** Events over a topic exchange, with a quorum queue for each listener. */
export class RabbitEventBus implements EventBus {
  readonly capabilities: EventBusCapabilities;
  readonly deadLetters: DeadLetters;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
    this.capabilities = {
      dedupeWindowMs: 0,
      maxDelayMs: MAX_DELAY_MS,
      get maxPayloadBytes() {
        return client.maxPayloadBytes;
      },
      leaseMs: client.options.leaseMs,
      replaysHistory: false,
      countsGaps: false,
      countsInFlight: false,
      countsDelayed: false,
    };
    this.deadLetters = new RabbitDeadLetters(client, (key) => this.#placeOf(key));
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    const client = this.#client;
    client.assertOpen("publish");
    await client.sender.publishAll(events, ({ id, type, body }, now) => {
      client.assertFits(`event ${id}`, body);
      return { route: client.routes.event(type), body, properties: outgoing(id, type, now, false) };
    });
  }

  async listen(listener: ListenerName, options: ListenOptions, handle: DeliveryHandler): Promise<Consumption> {
    const client = this.#client;
    const { types, from, concurrency } = options;
    client.assertOpen(`listen as ${listenerKey(listener)}`);
    if (from === "earliest") {
      throw new IntermodalError(
        "NOT_SUPPORTED",
        `${listenerKey(listener)} cannot start at the earliest event: RabbitMQ keeps events for the listeners that exist when they are published. Use from: "new"`,
      );
    }
    const { clock } = client.options;
    const place = client.names.listener(listener);
    const unwanted = new Unwanted(client, place, types);
    const { events } = client.names;
    const consumption = new RabbitConsumption({
      client,
      place,
      concurrency,
      handle,
      needs: [client.topology.place(place), client.topology.bindings(place, types)],
      read: (message) => {
        const { exchange, routingKey } = message.fields;
        return incoming(message, exchange === events ? routingKey : undefined, clock.now());
      },
      isUnwanted: (delivery) => unwanted.has(delivery),
    });
    await consumption.start();
    return consumption;
  }

  async forget(listener: ListenerName): Promise<void> {
    const place = this.#client.names.listener(listener);
    const link = await this.#client.consuming(`forget ${place.what}`);
    this.#client.options.connections.declared.forget([this.#client.topology.place(place)]);
    try {
      await link.using(async (channel) => {
        await channel.deleteQueue(place.queue);
        await channel.deleteQueue(place.dead);
      });
    } catch (error) {
      throw channelFailure(`forget ${place.what}`, error);
    }
  }

  async inspect(listener: ListenerName): Promise<ListenerInspection> {
    const { ready, dead } = await countReady(this.#client, this.#client.names.listener(listener));
    return { pending: ready, inFlight: undefined, delayed: undefined, dead };
  }

  /** Of a {@link listenerKey}. */
  #placeOf(key: string): Place {
    const slash = key.indexOf("/");
    return this.#client.names.listener({ service: key.slice(0, slash), listener: key.slice(slash + 1) });
  }
}
