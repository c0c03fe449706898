import type { Runtime } from "../app/runtime.ts";
import { sleep } from "../ports/clock.ts";
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
  readonly #stopNotifications: () => void;

  constructor(options: WorkerOptions) {
    const { runtime, registrations, listeners, concurrency } = options;
    this.#runtime = runtime;
    this.#listeners = listeners;
    const { settings } = runtime.surroundings;
    const leases = runtime.hasStore
      ? new LeaseKeeper(runtime.store, runtime.surroundings, settings.taskLeaseMs)
      : undefined;
    const names = new Set([...registrations.values()].map(({ contract }) => contract.queue));
    this.#queues = [...names].map(
      (queue) => new QueueWorker(queue, { runtime, leases, registrations, concurrency: concurrency(queue) }),
    );
    this.#sweep = leases && new Sweep(runtime, leases);
    this.#stopNotifications = streamNotifications(runtime);
  }

  /** Resolves when everything consumes. While a broker cannot be reached, it keeps trying. */
  async start(): Promise<void> {
    this.#sweep?.start();
    await Promise.all([
      ...this.#queues.map((queue) => queue.start()),
      ...this.#listeners.map((listener) => listener.start(this.#runtime)),
    ]);
  }

  /**
   * Takes nothing new and waits for what runs, at most `timeoutMs`; then asks handlers to stop. Those that only wait for sub-tasks are asked as soon as nothing else runs.
   * @returns what still runs.
   */
  async drain(timeoutMs: number): Promise<readonly Unfinished[]> {
    const { clock } = this.#runtime.surroundings;
    const consumers = [...this.#queues, ...this.#listeners];
    const patience = new AbortController();
    const limit = sleep(clock, timeoutMs, patience.signal);
    const swept = this.#sweep?.stop();
    await Promise.allSettled(consumers.map((consumer) => consumer.takeNoMore(timeoutMs)));
    await Promise.race([Promise.all([swept, this.#onlyWaiting()]), limit]);
    for (const consumer of consumers) consumer.shutDown();
    await Promise.race([this.idle(), sleep(clock, STOPPING_MS, patience.signal)]);
    patience.abort();
    return consumers.flatMap((consumer) => consumer.running);
  }

  /** Resolves when every attempt that is left waits for sub-tasks that have not ended. */
  async #onlyWaiting(): Promise<void> {
    for (;;) {
      const attempts = this.#queues.flatMap((queue) => queue.attempts);
      const active = attempts.filter((attempt) => !attempt.isWaiting);
      if (active.length > 0) await Promise.race(active.map((attempt) => attempt.quiet()));
      // One whose sub-task has just ended goes on.
      else if (attempts.length === 0 || (await this.#runtime.store.waiter.lookUpAll()) === 0) return;
    }
  }

  /** Nothing more will be told to the run streams. */
  close(): void {
    this.#stopNotifications();
  }

  /** Resolves when nothing runs any more. Never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#queues, ...this.#listeners].map((consumer) => consumer.idle()));
  }
}
