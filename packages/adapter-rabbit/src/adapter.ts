import type { Adapter, AdapterHealth } from "@intermodal/core/ports";
import type { Client } from "./client.ts";
import { RabbitCommandBus } from "./command-bus.ts";
import { RabbitEventBus } from "./event-bus.ts";
import { countIn } from "./inspect.ts";

/** Commands and events over RabbitMQ. */
export class RabbitAdapter implements Adapter {
  readonly name = "rabbit";
  readonly commandBus: RabbitCommandBus;
  readonly eventBus: RabbitEventBus;
  readonly #client: Client;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** `release` lets go of the connections. */
  constructor(client: Client, release: () => Promise<void>) {
    this.#client = client;
    this.#release = release;
    this.commandBus = new RabbitCommandBus(client);
    this.eventBus = new RabbitEventBus(client);
  }

  async connect(): Promise<void> {
    await this.#client.consuming("connect");
    const { connections, sendTimeoutMs } = this.#client.options;
    await connections.publishing.upWithin(sendTimeoutMs);
  }

  async health(): Promise<AdapterHealth> {
    this.#client.assertOpen("health");
    const { publishing, consuming } = this.#client.options.connections;
    const used = [publishing, consuming].filter((connection) => connection.isUsed);
    const down = used.find(({ link }) => link === undefined);
    if (down !== undefined) return { connected: false, detail: down.failure.message };
    const [first] = used;
    if (first === undefined) return { connected: false, detail: `${publishing.server} has not been used yet` };
    const blocked = publishing.link?.blocked;
    if (blocked !== undefined) return { connected: true, detail: `${publishing.server} takes no messages: ${blocked}` };
    return { connected: true, detail: `RabbitMQ ${first.link?.version}; ${await this.#consuming()}` };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#client.close();
    await this.#release();
  }

  async #consuming(): Promise<string> {
    const { link } = this.#client.options.connections.consuming;
    const consumptions = [...this.#client.consumptions];
    const lost = consumptions.filter(({ isConsuming }) => !isConsuming).length;
    const queues = new Set(consumptions.map(({ place }) => place.queue));
    let lag = 0;
    if (link !== undefined) for (const queue of queues) lag += await countIn(link, queue).catch(() => 0);
    return `${consumptions.length} consumptions${lost > 0 ? `, ${lost} of them lost` : ""}, lag ${lag}`;
  }
}
