import type { TaskStore } from "../app/runtime.ts";
import type { Clock } from "../ports/clock.ts";
import type { JsonValue } from "../ports/json.ts";
import type { HeldLease, RenewOutcome } from "../ports/task-state-store.ts";

/** A lease that is being kept, and whom to tell when something happens to it. */
export interface KeptLease {
  readonly lease: HeldLease;
  /** Somebody else has the task now. */
  onLost(): void;
  onCancelRequested(): void;
}

interface Entry {
  readonly kept: KeptLease;
  renewAt: number;
  progress: JsonValue | undefined;
}

/** Progress is written within this time, so that a chatty handler costs few writes. */
const PROGRESS_DELAY_MS = 200;

/** Renews all leases of a process together, each at a third of its time, with one timer. */
export class LeaseKeeper {
  readonly #store: TaskStore;
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #entries = new Map<KeptLease, Entry>();
  #cancelTick: (() => void) | undefined;
  #cancelProgress: (() => void) | undefined;

  constructor(store: TaskStore, clock: Clock, leaseMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#tickMs = leaseMs / 6;
  }

  keep(kept: KeptLease): void {
    this.#entries.set(kept, { kept, renewAt: this.#clock.now() + kept.lease.leaseMs / 3, progress: undefined });
    this.#cancelTick ??= this.#clock.schedule(this.#tickMs, this.#tick);
  }

  release(kept: KeptLease): void {
    this.#entries.delete(kept);
  }

  /** Stores progress soon; the latest wins. */
  progress(kept: KeptLease, progress: JsonValue): void {
    const entry = this.#entries.get(kept);
    if (entry === undefined) return;
    entry.progress = progress;
    this.#cancelProgress ??= this.#clock.schedule(PROGRESS_DELAY_MS, () => {
      this.#cancelProgress = undefined;
      for (const waiting of this.#entries.values()) if (waiting.progress !== undefined) void this.#renew(waiting);
    });
  }

  /** Progress that has not been stored yet, to go with the settle. */
  takeProgress(kept: KeptLease): JsonValue | undefined {
    const entry = this.#entries.get(kept);
    const progress = entry?.progress;
    if (entry !== undefined) entry.progress = undefined;
    return progress;
  }

  readonly #tick = () => {
    const now = this.#clock.now();
    for (const entry of this.#entries.values()) if (entry.renewAt <= now) void this.#renew(entry);
    this.#cancelTick = this.#entries.size > 0 ? this.#clock.schedule(this.#tickMs, this.#tick) : undefined;
  };

  async #renew(entry: Entry): Promise<void> {
    const { kept, progress } = entry;
    const { id, token, leaseMs } = kept.lease;
    entry.renewAt = this.#clock.now() + leaseMs / 3;
    entry.progress = undefined;
    let outcome: RenewOutcome;
    try {
      outcome = await this.#store.renew({ id, token, leaseMs, progress });
    } catch {
      // The store is away: the next tick tries again. Should the lease run out meanwhile, it is still good until somebody takes it.
      entry.renewAt = 0;
      entry.progress ??= progress;
      return;
    }
    if (!this.#entries.has(kept)) return;
    if (!outcome.held) {
      this.release(kept);
      kept.onLost();
    } else if (outcome.cancelRequested) kept.onCancelRequested();
  }
}
