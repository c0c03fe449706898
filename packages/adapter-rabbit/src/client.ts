import { type Clock, IntermodalError, type Logger } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import type { RabbitConsumption } from "./consumption.ts";
import type { Link } from "./link.ts";
import type { Mutex } from "./mutex.ts";
import { Names } from "./names.ts";
import { Publisher } from "./publisher.ts";
import { Routes } from "./routes.ts";
import { Sender } from "./sender.ts";
import { Topology } from "./topology.ts";

/** What every adapter of one URL in this process shares. */
export interface Connections {
  readonly publishing: Connection;
  readonly consuming: Connection;
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

/** What the two buses of one adapter share. */
export class Client {
  readonly options: ClientOptions;
  readonly names: Names;
  readonly topology: Topology;
  readonly routes: Routes;
  readonly sender: Sender;
  readonly consumptions = new Set<RabbitConsumption>();
  readonly #publisher: Publisher;
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
      clock,
      sendTimeoutMs,
      onLimit: (limit) => {
        this.#maxPayloadBytes = Math.min(this.#maxPayloadBytes, limit);
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

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const consumption of this.consumptions) consumption.end();
    this.#publisher.close();
  }
}
