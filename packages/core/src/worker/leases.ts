import type { TaskStore } from "../app/runtime.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { JsonValue } from "../ports/json.ts";
import type { Logger } from "../ports/logger.ts";
import type { HeldLease, RenewOutcome } from "../ports/task-state-store.ts";
import { Roster, type Rostered } from "../roster.ts";

/** A lease that is being kept, and whom to tell when something happens to it. */
export interface KeptLease {
  readonly lease: HeldLease;
  /** Somebody else has the task now. */
  onLost(): void;
  onCancelRequested(): void;
}

/** A lease in the keeper's hands. */
export interface LeaseEntry extends Rostered {
  readonly kept: KeptLease;
  /** When it was last renewed, by this process's clock; 0 when that failed. */
  renewedAt: number;
  progress: JsonValue | undefined;
}

/** Progress is written within this time, so that a chatty handler costs few writes. */
const PROGRESS_DELAY_MS = 200;

/** Renews all leases of a process together, each at a third of its time, with one timer. */
export class LeaseKeeper {
  readonly #store: TaskStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #tickMs: number;
  readonly #entries = new Roster<LeaseEntry>();
  #cancelTick: (() => void) | undefined;
  #cancelProgress: (() => void) | undefined;

  constructor(store: TaskStore, { clock, logger }: { clock: Clock; logger: Logger }, leaseMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#tickMs = leaseMs / 6;
  }

  keep(kept: KeptLease): LeaseEntry {
    const entry: LeaseEntry = { kept, renewedAt: this.#clock.now(), progress: undefined, place: -1 };
    this.#entries.add(entry);
    this.#cancelTick ??= this.#clock.schedule(this.#tickMs, this.#tick);
    return entry;
  }

  release(entry: LeaseEntry): void {
    this.#entries.delete(entry);
  }

  /** Stores progress soon; the latest wins. */
  progress(entry: LeaseEntry, progress: JsonValue): void {
    if (entry.place < 0) return;
    entry.progress = progress;
    this.#cancelProgress ??= this.#clock.schedule(PROGRESS_DELAY_MS, () => {
      this.#cancelProgress = undefined;
      for (const waiting of this.#entries) if (waiting.progress !== undefined) void this.#renew(waiting);
    });
  }

  /** Progress that has not been stored yet, to go with the settle. */
  takeProgress(entry: LeaseEntry): JsonValue | undefined {
    const { progress } = entry;
    entry.progress = undefined;
    return progress;
  }

  /** Renews what is due. @returns whether the store could be reached. */
  async renewDue(): Promise<boolean> {
    const now = this.#clock.now();
    const renewals: Promise<boolean>[] = [];
    for (const entry of this.#entries) if (isDue(entry, now)) renewals.push(this.#renew(entry));
    return (await Promise.all(renewals)).every(Boolean);
  }

  readonly #tick = () => {
    void this.renewDue();
    this.#cancelTick = this.#entries.size > 0 ? this.#clock.schedule(this.#tickMs, this.#tick) : undefined;
  };

  /** @returns whether the store could be reached. */
  async #renew(entry: LeaseEntry): Promise<boolean> {
    const { kept, progress } = entry;
    const { id, token, leaseMs } = kept.lease;
    entry.renewedAt = this.#clock.now();
    let outcome: RenewOutcome;
    try {
      outcome = await this.#store.renew({ id, token, leaseMs, progress });
    } catch (error) {
      // Nobody will ever answer: its settle will say so.
      if (isIntermodalError(error, "CLOSED")) {
        this.release(entry);
        return false;
      }
      // The store is away: the next tick tries again. Should the lease run out meanwhile, it is still good until somebody takes it.
      entry.renewedAt = 0;
      if (!isIntermodalError(error, "UNAVAILABLE") && entry.progress === progress && progress !== undefined) {
        // What the store refuses for good must not cost the lease.
        this.#logger.warn("progress could not be stored, and is dropped", { task: id, error: messageOf(error) });
        entry.progress = undefined;
        return this.#renew(entry);
      }
      return false;
    }
    // Kept until it is stored, and given up for nothing but a later one.
    if (entry.progress === progress) entry.progress = undefined;
    if (entry.place < 0) return true;
    if (!outcome.held) {
      this.release(entry);
      kept.onLost();
    } else if (outcome.cancelRequested) kept.onCancelRequested();
    return true;
  }
}

/** A third of its time is over, or the clock was set back since: then nobody can say. */
function isDue({ kept, renewedAt }: LeaseEntry, now: number): boolean {
  return now < renewedAt || now >= renewedAt + kept.lease.leaseMs / 3;
}
