import type { Adapter, AdapterHealth, ConsumptionHealth } from "@intermodal/core/ports";
import type { Client, Consuming } from "./client.ts";
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
    const alarm = blocked === undefined ? "" : `; ${publishing.server} takes no messages: ${blocked}`;
    const consumptions = await Promise.all([...this.#client.consumptions].map((each) => this.#healthOf(each)));
    return { connected: true, consumptions, detail: `RabbitMQ ${first.link?.version}${alarm}` };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#client.close();
    await this.#release();
  }

  async #healthOf({ place, isConsuming }: Consuming): Promise<ConsumptionHealth> {
    const { link } = this.#client.options.connections.consuming;
    const lag = link && (await countIn(link, place.queue).catch(() => undefined));
    return { place: place.name, consuming: isConsuming, lag };
  }
}
