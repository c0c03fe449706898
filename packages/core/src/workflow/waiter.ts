import { IntermodalError, isIntermodalError } from "../errors.ts";
import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { TaskStateStore } from "../ports/task-state-store.ts";

const MAX_BATCH = 500;

interface Waiter {
  resolve(record: TaskRecord | undefined): void;
  reject(error: unknown): void;
}

/**
 * Waits for tasks to end, all of a process together: the store's hints wake it, and a slow poll finds what a lost hint did not tell.
 */
export class EndWaiter {
  readonly #store: TaskStateStore;
  readonly #clock: Clock;
  readonly #pollIntervalMs: number;
  readonly #waiting = new Map<string, Set<Waiter>>();
  #hinted = new Set<string>();
  #cancelPoll: (() => void) | undefined;
  #stopHints: (() => void) | undefined;
  #closed = false;

  constructor(store: TaskStateStore, clock: Clock, pollIntervalMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#pollIntervalMs = pollIntervalMs;
  }

  /**
   * Resolves with the record once it has ended; `undefined` when there is none (it has expired).
   * @throws the signal's reason when it aborts; `CLOSED` when nobody looks any more.
   */
  wait(id: string, signal?: AbortSignal): Promise<TaskRecord | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#closed) return reject(closed());
      const onAbort = () => {
        this.#remove(id, waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        resolve: (record) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(record);
        },
        reject: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const waiters = this.#waiting.get(id);
      if (waiters === undefined) this.#waiting.set(id, new Set([waiter]));
      else waiters.add(waiter);
      this.#stopHints ??= this.#store.changes((ids) => this.hint(ids));
      this.#cancelPoll ??= this.#clock.schedule(this.#pollIntervalMs, () => void this.#poll());
      // It may have ended before the hints were listened to.
      this.hint([id]);
    });
  }

  /** Something may have ended: look it up, if anybody waits for it. */
  hint(ids: readonly string[]): void {
    for (const id of ids) {
      if (!this.#waiting.has(id)) continue;
      if (this.#hinted.size === 0) queueMicrotask(() => this.#lookUpHinted());
      this.#hinted.add(id);
    }
  }

  /**
   * Looks everything up that is waited for.
   * @returns how many of them have ended; those who waited have gone on when it resolves.
   */
  async lookUpAll(): Promise<number> {
    const ended = await this.#lookUp([...this.#waiting.keys()]);
    // Their continuations run before this one's.
    await undefined;
    return ended;
  }

  /** Nobody looks any more: who waits is told so. */
  close(): void {
    this.#closed = true;
    this.#cancelPoll?.();
    this.#stopHints?.();
    this.#giveUp(closed());
  }

  #giveUp(error: unknown): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiters of waiting) for (const waiter of waiters) waiter.reject(error);
  }

  #lookUpHinted(): void {
    const ids = [...this.#hinted];
    this.#hinted = new Set();
    void this.#lookUp(ids);
  }

  readonly #poll = async () => {
    await this.#lookUp([...this.#waiting.keys()]);
    this.#cancelPoll =
      this.#waiting.size > 0 ? this.#clock.schedule(this.#pollIntervalMs, () => void this.#poll()) : undefined;
  };

  async #lookUp(ids: readonly string[]): Promise<number> {
    let ended = 0;
    for (let start = 0; start < ids.length; start += MAX_BATCH) {
      const batch = ids.slice(start, start + MAX_BATCH);
      try {
        const records = await this.#store.get(batch);
        batch.forEach((id, index) => {
          const record = records[index];
          if (record !== undefined && !isTerminal(record.status)) return;
          ended++;
          const waiters = this.#waiting.get(id);
          this.#waiting.delete(id);
          for (const waiter of waiters ?? []) waiter.resolve(record);
        });
      } catch (error) {
        // While the store is away, the next poll asks again; one that was closed never answers.
        if (isIntermodalError(error, "CLOSED")) this.#giveUp(error);
        return ended;
      }
    }
    return ended;
  }

  #remove(id: string, waiter: Waiter): void {
    const waiters = this.#waiting.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiting.delete(id);
  }
}

function closed(): IntermodalError {
  return new IntermodalError("CLOSED", "the app was stopped while a task was waited for; the task goes on");
}
