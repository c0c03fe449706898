import type { Adapter, AdapterContext, AdapterHealth, ConsumptionHealth } from "@intermodal/core/ports";
import { NatsCommandBus } from "./command-bus.ts";
import type { Connection } from "./connection.ts";
import { NatsConsumption } from "./consumption.ts";
import { Delays } from "./delays.ts";
import { NatsEventBus } from "./event-bus.ts";
import type { Settings } from "./options.ts";
import { Session } from "./session.ts";

/** Both buses over one connection, which other adapters of the process may share. */
export class NatsAdapter implements Adapter {
  readonly name = "nats";
  readonly commandBus: NatsCommandBus;
  readonly eventBus: NatsEventBus;
  readonly #session: Session;
  readonly #release: () => Promise<void>;

  /** @param release Lets go of the connection. */
  constructor(connection: Connection, settings: Settings, context: AdapterContext, release: () => Promise<void>) {
    this.#session = new Session(connection, settings, context);
    this.#release = release;
    const delays = new Delays(this.#session);
    this.commandBus = new NatsCommandBus(this.#session, delays);
    this.eventBus = new NatsEventBus(this.#session, delays);
  }

  connect(): Promise<void> {
    return this.#session.ready("connect");
  }

  async health(): Promise<AdapterHealth> {
    this.#session.assertOpen("health");
    const { connection } = this.#session;
    const version = connection.client?.info?.version;
    if (version === undefined) return { connected: false, detail: `not connected to ${connection.where}` };
    const consumptions = [...this.#session.endings].filter((ending) => ending instanceof NatsConsumption);
    return {
      connected: true,
      consumptions: await Promise.all(consumptions.map((consumption) => this.#healthOf(consumption))),
      detail: `connected to ${connection.where} (nats-server ${version})`,
    };
  }

  async close(): Promise<void> {
    if (this.#session.isClosed) return;
    await this.#session.close();
    await this.#release();
  }

  async #healthOf({ place, isConsuming }: NatsConsumption): Promise<ConsumptionHealth> {
    const info = await this.#session.api.consumerInfo(place.stream, place.durable).catch(() => undefined);
    return { place: place.name, consuming: isConsuming, lag: info?.num_pending };
  }
}
