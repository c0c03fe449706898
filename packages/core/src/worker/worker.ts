import type { Runtime } from "../app/runtime.ts";
import { sleep } from "../ports/clock.ts";
import { bridgeNotifications } from "./bridge.ts";
import type { EventListener } from "./event-listener.ts";
import { LeaseKeeper } from "./leases.ts";
import { QueueWorker, type Registration } from "./queue-worker.ts";
import { streamNotifications } from "./stream-notifications.ts";
import { Sweep } from "./sweep.ts";

export interface WorkerOptions {
  readonly runtime: Runtime;
  /** By type. */
  readonly registrations: ReadonlyMap<string, Registration>;
  readonly listeners: readonly EventListener[];
  readonly concurrency: (queue: string) => number;
}

/** How long a handler that was told to stop may take to do so. */
const STOPPING_MS = 1_000;

/** Something that was still running when `stop()` ran out of patience. */
export interface Unfinished {
  readonly id: string;
  readonly type: string;
}

/** Everything of an app that consumes: queues, listeners, leases and the sweep. */
export class Worker {
  readonly #queues: readonly QueueWorker[];
  readonly #listeners: readonly EventListener[];
  readonly #runtime: Runtime;
  readonly #sweep: Sweep | undefined;
  readonly #stopNotifications: (() => void)[];

  constructor(options: WorkerOptions) {
    const { runtime, registrations, listeners, concurrency } = options;
    this.#runtime = runtime;
    this.#listeners = listeners;
    const { clock, settings } = runtime.surroundings;
    const leases = runtime.hasStore ? new LeaseKeeper(runtime.store, clock, settings.taskLeaseMs) : undefined;
    const names = new Set([...registrations.values()].map(({ contract }) => contract.queue));
    this.#queues = [...names].map(
      (queue) => new QueueWorker(queue, { runtime, leases, registrations, concurrency: concurrency(queue) }),
    );
    this.#sweep = runtime.hasStore ? new Sweep(runtime) : undefined;
    this.#stopNotifications = [bridgeNotifications(runtime), streamNotifications(runtime)];
  }

  /** Resolves when everything consumes. While a broker cannot be reached, it keeps trying. */
  async start(): Promise<void> {
    this.#sweep?.start();
    await Promise.all([
      ...this.#queues.map((queue) => queue.start()),
      ...this.#listeners.map((listener) => listener.start(this.#runtime)),
    ]);
  }

  /** @returns what still runs after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<readonly Unfinished[]> {
    const consumers = [...this.#queues, ...this.#listeners];
    await Promise.all([this.#sweep?.stop(), ...consumers.map((consumer) => consumer.drain(timeoutMs))]);
    // What was told to stop is given the time to do so.
    const patience = new AbortController();
    await Promise.race([this.idle(), sleep(this.#runtime.surroundings.clock, STOPPING_MS, patience.signal)]);
    patience.abort();
    return consumers.flatMap((consumer) => consumer.running);
  }

  /** Nothing more will be told to the bridge and the run streams. */
  close(): void {
    for (const stop of this.#stopNotifications) stop();
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    await Promise.all([...this.#queues, ...this.#listeners].map((consumer) => consumer.idle()));
  }
}
