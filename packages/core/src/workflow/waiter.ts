import { IntermodalError } from "../errors.ts";
import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { TaskStateStore } from "../ports/task-state-store.ts";

const MAX_BATCH = 500;

type Settle = (record: TaskRecord | undefined) => void;

/**
 * Waits for tasks to end, all of a process together: the store's hints wake it, and a slow poll finds what a lost hint did not tell.
 */
export class EndWaiter {
  readonly #store: TaskStateStore;
  readonly #clock: Clock;
  readonly #pollIntervalMs: number;
  readonly #waiting = new Map<string, Set<Settle>>();
  #hinted = new Set<string>();
  #cancelPoll: (() => void) | undefined;
  #stopHints: (() => void) | undefined;

  constructor(store: TaskStateStore, clock: Clock, pollIntervalMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#pollIntervalMs = pollIntervalMs;
  }

  /**
   * Resolves with the record once it has ended; `undefined` when there is none (it has expired).
   * @throws the signal's reason when it aborts.
   */
  wait(id: string, signal?: AbortSignal): Promise<TaskRecord | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#remove(id, settle);
        reject(signal?.reason ?? new IntermodalError("CANCELLED", `waiting for task ${id} was given up`));
      };
      const settle: Settle = (record) => {
        signal?.removeEventListener("abort", onAbort);
        resolve(record);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const settles = this.#waiting.get(id);
      if (settles === undefined) this.#waiting.set(id, new Set([settle]));
      else settles.add(settle);
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

  close(): void {
    this.#cancelPoll?.();
    this.#stopHints?.();
    this.#cancelPoll = undefined;
    this.#stopHints = undefined;
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
          const settles = this.#waiting.get(id);
          this.#waiting.delete(id);
          for (const settle of settles ?? []) settle(record);
        });
      } catch {
        // The store is away: the next poll asks again.
        return ended;
      }
    }
    return ended;
  }

  #remove(id: string, settle: Settle): void {
    const settles = this.#waiting.get(id);
    settles?.delete(settle);
    if (settles?.size === 0) this.#waiting.delete(id);
  }
}
