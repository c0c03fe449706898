import type { Clock } from "../ports/clock.ts";
import { Broker } from "./broker.ts";
import { MemoryConnection } from "./connection.ts";
import { DEFAULT_MEMORY_LIMITS, type MemoryLimits } from "./limits.ts";
import { Store } from "./store.ts";

/**
 * A small in-process broker and store that any number of clients connect to. Nothing survives the process; within it, it behaves as a server
 * does: it can be stopped and started again with what it held, and its clients can be cut off or die.
 */
export class MemoryServer {
  readonly clock: Clock;
  readonly limits: MemoryLimits;
  readonly broker: Broker;
  readonly store: Store;
  readonly #connections = new Set<MemoryConnection>();
  #running = true;

  constructor(clock: Clock, limits: Partial<MemoryLimits> = {}) {
    this.clock = clock;
    this.limits = { ...DEFAULT_MEMORY_LIMITS, ...limits };
    this.broker = new Broker(clock, this.limits);
    this.store = new Store(clock, this.limits);
  }

  connect(): MemoryConnection {
    const connection = new MemoryConnection();
    this.#connections.add(connection);
    connection.onClosed(() => this.#connections.delete(connection));
    connection.onLost(() => {
      if (connection.isKilled) this.#connections.delete(connection);
    });
    if (!this.#running) connection.serverStopped();
    return connection;
  }

  /** Every connection breaks and none comes about until `start`. What the server holds stays. */
  stop(): void {
    this.#running = false;
    for (const connection of this.#connections) connection.serverStopped();
  }

  start(): void {
    this.#running = true;
    for (const connection of this.#connections) connection.serverStarted();
  }
}
