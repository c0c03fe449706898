import { assertAllTaken } from "../adapter/batch.ts";
import type { Consumption, DeadLetters, DeliveryHandler } from "../ports/delivery.ts";
import {
  type EventBus,
  type EventBusCapabilities,
  type ListenerInspection,
  type ListenerName,
  type ListenOptions,
  listenerKey,
  type OutgoingEvent,
} from "../ports/event-bus.ts";
import { type BrokerNamespace, DEDUPE_WINDOW_MS } from "./broker.ts";
import { type BusClient, consume } from "./bus-client.ts";
import { MemoryDeadLetters } from "./dead-letters.ts";
import { Pace } from "./turns.ts";

/** Events over the in-process broker. */
export class MemoryEventBus implements EventBus {
  readonly capabilities: EventBusCapabilities;
  readonly deadLetters: DeadLetters;
  readonly #client: BusClient;
  readonly #broker: BrokerNamespace;
  readonly #pace = new Pace();

  constructor(client: BusClient) {
    const { maxPayloadBytes, leaseMs } = client.limits;
    this.capabilities = {
      dedupeWindowMs: DEDUPE_WINDOW_MS,
      maxDelayMs: Number.POSITIVE_INFINITY,
      maxPayloadBytes,
      leaseMs,
      replaysHistory: true,
      countsGaps: true,
      countsInFlight: true,
      countsDelayed: true,
    };
    this.#client = client;
    this.#broker = client.broker.namespace(client.namespace);
    this.deadLetters = new MemoryDeadLetters(client.connection, (key) => this.#broker.events.find(key));
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    await this.#pace.admit(events.length);
    assertAllTaken(await this.#client.connection.call("publish", () => this.#broker.publish(events)));
  }

  listen(listener: ListenerName, options: ListenOptions, handle: DeliveryHandler): Promise<Consumption> {
    const key = listenerKey(listener);
    return consume(this.#client, {
      what: `listen as ${key}`,
      concurrency: options.concurrency,
      queue: () => this.#broker.events.listener(key, options),
      handle,
      onGap: options.onGap,
    });
  }

  forget(listener: ListenerName): Promise<void> {
    return this.#client.connection.call("forget", () => this.#broker.events.forget(listenerKey(listener)));
  }

  inspect(listener: ListenerName): Promise<ListenerInspection> {
    return this.#client.connection.call("inspect", () => {
      const { ready, inFlight, delayed, dead } = this.#broker.events.find(listenerKey(listener))?.inspect() ?? NOTHING;
      return { pending: ready, inFlight, delayed, dead };
    });
  }
}

const NOTHING = { ready: 0, inFlight: 0, delayed: 0, dead: 0 };
