import { type Clock, IntermodalError, type Logger, sleep } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import type { Declared } from "./declared.ts";
import type { Link } from "./link.ts";
import type { Mutex } from "./mutex.ts";
import { Names, type Place } from "./names.ts";
import { Publisher } from "./publisher.ts";
import { Routes } from "./routes.ts";
import { Sender } from "./sender.ts";
import { CONSUMER_TIMEOUT_MS, OLD_CONSUMER_TIMEOUT_MS, Topology } from "./topology.ts";

/** How long the broker may take to hear the last words. */
const FAREWELL_MS = 1_000;

/** What every adapter of one URL in this process shares. */
export interface Connections {
  readonly publishing: Connection;
  readonly consuming: Connection;
  readonly declared: Declared;
  /** Dead letters are read by one at a time. */
  readonly reading: Mutex;
}

export interface ClientOptions {
  readonly connections: Connections;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sendTimeoutMs: number;
  readonly leaseMs: number;
  readonly maxPayloadBytes: number;
}

/** A consumption, as far as its adapter is concerned. */
export interface Consuming {
  readonly place: Place;
  /** Whether the broker delivers to it now. */
  readonly isConsuming: boolean;
  /** The adapter is closed: whatever is in hand goes back. */
  end(): void;
}

/** What the two buses of one adapter share. */
export class Client {
  readonly options: ClientOptions;
  readonly names: Names;
  readonly topology: Topology;
  readonly routes: Routes;
  readonly sender: Sender;
  readonly consumptions = new Set<Consuming>();
  readonly #publisher: Publisher;
  readonly #farewells = new Set<Promise<void>>();
  #maxPayloadBytes: number;
  #isClosed = false;

  constructor(options: ClientOptions) {
    const { connections, namespace, clock, sendTimeoutMs, maxPayloadBytes } = options;
    this.options = options;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.names = new Names(namespace);
    this.topology = new Topology(this.names);
    this.routes = new Routes(this.topology);
    this.#publisher = new Publisher({
      connection: connections.publishing,
      declared: connections.declared,
      clock,
      sendTimeoutMs,
      onLimit: (limit) => {
        this.#maxPayloadBytes = Math.min(maxPayloadBytes, limit ?? maxPayloadBytes);
      },
    });
    this.sender = new Sender({ publisher: this.#publisher, clock, sendTimeoutMs });
  }

  get maxPayloadBytes(): number {
    return this.#maxPayloadBytes;
  }

  /** @throws `CLOSED`. */
  assertOpen(what: string): void {
    if (this.#isClosed) throw new IntermodalError("CLOSED", `${what}: the adapter has been closed`);
  }

  /** @throws `PAYLOAD_TOO_LARGE`. */
  assertFits(what: string, body: Uint8Array): void {
    if (body.byteLength <= this.#maxPayloadBytes) return;
    throw new IntermodalError(
      "PAYLOAD_TOO_LARGE",
      `${what} has a body of ${body.byteLength} bytes, more than the ${this.#maxPayloadBytes} that RabbitMQ takes: send a reference instead, or raise its max_message_size and the adapter's maxPayloadBytes`,
    );
  }

  /** The link that is not blocked by alarms, for what only asks. @throws `UNAVAILABLE`, `CONFIG_INVALID`, `CLOSED`. */
  async consuming(what: string): Promise<Link> {
    this.assertOpen(what);
    const { connections, sendTimeoutMs } = this.options;
    const link = await connections.consuming.upWithin(sendTimeoutMs);
    this.assertOpen(what);
    return link;
  }

  /** How long a handler may take, as far as the server's version is known. */
  get maxHandlerMs(): number {
    const { version = "" } = this.options.connections.consuming.link ?? {};
    const [major = 4, minor = 0] = version.split(".", 2).filter(Boolean).map(Number);
    return major > 3 || minor >= 12 ? CONSUMER_TIMEOUT_MS : OLD_CONSUMER_TIMEOUT_MS;
  }

  /** What is acknowledged has to arrive before the connection is closed. */
  farewell(channelClosed: Promise<void>): void {
    const farewell = channelClosed.finally(() => this.#farewells.delete(farewell));
    this.#farewells.add(farewell);
  }

  /** Ends every consumption and every send; resolves when the broker knows what it was told, within a limit. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const consumption of this.consumptions) consumption.end();
    this.farewell(this.#publisher.close());
    await Promise.race([Promise.all(this.#farewells), sleep(this.options.clock, FAREWELL_MS)]);
  }
}
