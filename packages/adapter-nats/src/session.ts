import type { AdapterContext, Clock, Logger } from "@intermodal/core/ports";
import { JetStreamApi } from "./api.ts";
import type { Connection } from "./connection.ts";
import { closed } from "./errors.ts";
import { HEADER_ROOM } from "./headers.ts";
import { Names } from "./names.ts";
import type { Settings } from "./options.ts";
import { Publisher } from "./publisher.ts";
import { Topology } from "./topology.ts";

/** What is ended with the adapter. */
export interface Ending {
  /** Resolves soon, without waiting for handlers. */
  end(): Promise<void>;
}

/** What both buses of one adapter work with: a namespace over a connection. */
export class Session {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly names: Names;
  readonly api: JetStreamApi;
  readonly topology: Topology;
  readonly publisher: Publisher;
  readonly #endings = new Set<Ending>();
  #isClosed = false;

  constructor(
    connection: Connection,
    settings: Settings,
    context: Pick<AdapterContext, "namespace" | "clock" | "logger">,
  ) {
    const { namespace, clock, logger } = context;
    this.connection = connection;
    this.settings = settings;
    this.clock = clock;
    this.logger = logger;
    this.names = new Names(namespace);
    this.api = new JetStreamApi(connection, settings, clock);
    this.topology = new Topology(this.api, connection, this.names, settings, logger);
    this.publisher = new Publisher(connection, this.topology, clock, settings.sendTimeoutMs);
  }

  /** The longest body: headers count toward the server's limit too. */
  get maxPayloadBytes(): number {
    return Math.max(0, this.connection.maxPayload - HEADER_ROOM);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws `CLOSED`. */
  assertOpen(what: string): void {
    if (this.#isClosed) throw closed(what);
  }

  /** Makes the streams if they are not known to be there. */
  async ready(what: string): Promise<void> {
    this.assertOpen(what);
    await this.connection.ready(what, this.settings.sendTimeoutMs);
    if (!this.topology.isEnsured) await this.topology.ensure();
    this.assertOpen(what);
  }

  /** Ends it with the adapter, unless it has been removed before. */
  add(ending: Ending): void {
    this.#endings.add(ending);
  }

  remove(ending: Ending): void {
    this.#endings.delete(ending);
  }

  get endings(): ReadonlySet<Ending> {
    return this.#endings;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const endings = [...this.#endings];
    this.#endings.clear();
    await Promise.all(endings.map((ending) => ending.end()));
  }
}
