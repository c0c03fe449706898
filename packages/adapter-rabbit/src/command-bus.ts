import {
  type CommandBus,
  type CommandBusCapabilities,
  type Consumption,
  type DeadLetters,
  type DeliveryHandler,
  IntermodalError,
  type OutgoingCommand,
  type QueueInspection,
  type WorkOptions,
} from "@intermodal/core/ports";
import type { Client } from "./client.ts";
import { RabbitConsumption } from "./consumption.ts";
import { RabbitDeadLetters } from "./dead-letters.ts";
import { MAX_DELAY_MS } from "./delays.ts";
import { incoming, outgoing } from "./headers.ts";
import { countReady } from "./inspect.ts";
import type { Publication } from "./publication.ts";

/** Commands over quorum queues. */
export class RabbitCommandBus implements CommandBus {
  readonly capabilities: CommandBusCapabilities;
  readonly deadLetters: DeadLetters;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
    this.capabilities = {
      processLocal: false,
      dedupeWindowMs: 0,
      maxDelayMs: MAX_DELAY_MS,
      get maxHandlerMs() {
        return client.maxHandlerMs;
      },
      get maxPayloadBytes() {
        return client.maxPayloadBytes;
      },
      unroutable: "wait",
      leaseMs: client.options.leaseMs,
      countsInFlight: false,
      countsDelayed: false,
    };
    this.deadLetters = new RabbitDeadLetters(client, (queue) => client.names.queue(queue));
  }

  async send(commands: readonly OutgoingCommand[]): Promise<void> {
    this.#client.assertOpen("send");
    await this.#client.sender.publishAll(commands, (command, now) => this.#publication(command, now));
  }

  async work(queue: string, { concurrency }: WorkOptions, handle: DeliveryHandler): Promise<Consumption> {
    const client = this.#client;
    client.assertOpen(`work on queue ${queue}`);
    const place = client.names.queue(queue);
    const { clock } = client.options;
    const consumption = new RabbitConsumption({
      client,
      place,
      concurrency,
      handle,
      needs: [client.topology.place(place)],
      read: (message) => incoming(message, undefined, clock.now()),
    });
    await consumption.start();
    return consumption;
  }

  async inspect(queue: string): Promise<QueueInspection> {
    const { ready, dead } = await countReady(this.#client, this.#client.names.queue(queue));
    return { ready, inFlight: undefined, delayed: undefined, dead };
  }

  #publication({ queue, id, type, body, delayMs = 0 }: OutgoingCommand, now: number): Publication {
    const { routes, names } = this.#client;
    this.#client.assertFits(`command ${id}`, body);
    const properties = outgoing(id, type, now, true);
    const place = names.queue(queue);
    if (!(delayMs > 0)) return { route: routes.to(place), body, properties };
    if (delayMs > MAX_DELAY_MS) {
      throw new IntermodalError(
        "NOT_SUPPORTED",
        `a delay of ${delayMs} ms is longer than the ${MAX_DELAY_MS} that RabbitMQ can keep: schedule it instead`,
      );
    }
    properties.expiration = Math.ceil(delayMs);
    return { route: routes.later(place, delayMs), body, properties };
  }
}
