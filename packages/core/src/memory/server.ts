import type { Clock } from "../ports/clock.ts";
import { MemoryConnection } from "./connection.ts";
import { Broker } from "./broker.ts";
import { Store } from "./store.ts";

/** How much a memory server holds before the oldest goes or the newest is refused. */
export interface MemoryLimits {
  /** Events kept per namespace for listeners that are away. @default 100,000 */
  readonly maxEvents: number;
  /** Events kept per run stream. @default 10,000 */
  readonly maxStreamEvents: number;
  /** Finished task records kept beyond which the oldest finished go early. @default 200,000 */
  readonly maxFinishedTasks: number;
  /** The longest message, input, result or event data. @default 8,388,608 */
  readonly maxPayloadBytes: number;
  /** How long a delivery stays with a holder that stopped renewing it. @default 10,000 */
  readonly leaseMs: number;
}

export const DEFAULT_MEMORY_LIMITS: MemoryLimits = {
  maxEvents: 100_000,
  maxStreamEvents: 10_000,
  maxFinishedTasks: 200_000,
  maxPayloadBytes: 8 * 1024 * 1024,
  leaseMs: 10_000,
};

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
    if (!this.#running) connection.cut();
    return connection;
  }

  /** Every connection breaks and none comes about until `start`. What the server holds stays. */
  stop(): void {
    this.#running = false;
    for (const connection of this.#connections) connection.cut();
  }

  start(): void {
    this.#running = true;
    for (const connection of this.#connections) connection.mend();
  }
}
