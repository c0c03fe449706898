import type { Page, PageOptions } from "./delivery.ts";
import type { JsonValue } from "./json.ts";

/**
 * Where schedules are kept: what each one is to do, whether it runs, and when it is due next. It knows nothing of cron expressions and sends nothing: when a
 * schedule is due next is worked out by whoever fires it, from the store's time, and takes effect only on what was read.
 *
 * Delivery: none; that a due time makes one task follows from the task's id, not from this store. Ordering: names for `list`, times for `due`. Concurrency: any
 * number of processes may call any method at any time; each item of each batch is one atomic step, a batch is not atomic as a whole. Times come from the
 * store's own clock. What is returned is a snapshot: changing it changes nothing.
 *
 * Every method rejects with `UNAVAILABLE` (`unknown` where the answer was lost) when the store cannot be reached within a bounded time, and with `CLOSED` after
 * the adapter's `close()`. Repeating any step whose answer was lost is safe. Answers stand in the order of the batch. Where some items are refused
 * (`PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`) the others take effect, and a batch of several rejects with a `BatchError` that carries both; a batch of one rejects
 * with the refusal itself.
 */
export interface ScheduleStore {
  readonly capabilities: ScheduleStoreCapabilities;
  /** `undefined` where there is no such schedule. */
  get(names: readonly string[]): Promise<ScheduleReading>;
  /**
   * Writes each schedule if it still has the revision that the write expects; of any number of simultaneous writes that expect the same one, exactly one is
   * written. A write whose own revision the schedule has already is answered as written, and changes nothing.
   * @throws `PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE` for a definition.
   */
  put(writes: readonly ScheduleWrite[]): Promise<readonly ScheduleOutcome[]>;
  /** Idempotent: one that is not there is removed already. */
  remove(names: readonly string[]): Promise<void>;
  /** All, each once, in an order of the store's own. Writes between two pages neither repeat nor hide a schedule that was there all along. @throws `CURSOR_INVALID`. */
  list(options?: PageOptions): Promise<Page<ScheduleRecord>>;
  /**
   * The schedules that are `running` and whose `nextAt` has come by the store's clock, those that waited longest first. Takes nothing: it says the same to
   * everybody, until somebody moves a schedule on. Writes between two pages neither repeat nor hide a schedule that is due all along.
   * @throws `CURSOR_INVALID`.
   */
  due(options?: PageOptions): Promise<DueSchedules>;
}

/** Where an instance's limits are. */
export interface ScheduleStoreCapabilities {
  /** The longest definition as JSON, at least 262,144; a longer one rejects with `PAYLOAD_TOO_LARGE`. */
  readonly maxDefinitionBytes: number;
}

/** When a schedule is due. */
export type ScheduleTiming =
  /** As a cron expression of five or six fields says, in an IANA time zone. */
  | { readonly cron: string; readonly timezone: string }
  /** So many milliseconds after it was started, and after each due time. */
  | { readonly everyMs: number }
  /** Once, at this time in milliseconds since the epoch. */
  | { readonly at: number };

/** What a schedule is to do: configuration, which nothing that happens changes. Complete, so that any worker can fire it. */
export interface ScheduleDefinition {
  /** The task's contract, as far as sending needs it. */
  readonly type: string;
  readonly taskVersion: string;
  readonly queue: string;
  readonly retentionMs: number;
  readonly input: JsonValue;
  readonly userId?: string | undefined;
  readonly timing: ScheduleTiming;
  /** A disabled one is never due. */
  readonly enabled: boolean;
  /** What becomes of due times that nobody was there to fire: the latest of them is fired, or none. */
  readonly missed: "latest" | "skip";
  /** What becomes of a due time while the task of the one before has not ended. */
  readonly overlap: "allow" | "skip";
}

/** Whether a schedule is to be fired. A paused one keeps its due time, a stopped one has none. */
export type ScheduleState = "running" | "paused" | "stopped";

/** A schedule as it is written. */
export interface ScheduleDraft {
  /** Names this writing of it, and no other ever: unique, of 1 to 64 letters and digits. */
  readonly revision: string;
  readonly definition: ScheduleDefinition;
  readonly state: ScheduleState;
  /** The due time that has not been dealt with; absent where there is none. Whole milliseconds since the epoch, as all times are. */
  readonly nextAt?: number | undefined;
  /** The latest due time that was fired. */
  readonly lastDueAt?: number | undefined;
  /** When that was. */
  readonly lastFiredAt?: number | undefined;
  /** The task that came of it. */
  readonly lastTaskId?: string | undefined;
  /** How many due times were fired. */
  readonly fires: number;
}

/** A schedule as it is kept. */
export interface ScheduleRecord extends ScheduleDraft {
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** One schedule to be written. */
export interface ScheduleWrite {
  /** Any text of 1 to 256 characters. */
  readonly name: string;
  /** The revision on which it takes effect; `undefined`: only where there is no such schedule. */
  readonly expected: string | undefined;
  readonly schedule: ScheduleDraft;
}

/** What came of one write, and how the schedule stands now; `undefined`: there is none. */
export type ScheduleOutcome =
  | { readonly written: true; readonly schedule: ScheduleRecord }
  | { readonly written: false; readonly schedule: ScheduleRecord | undefined };

/** Schedules, and the time at which they stood so. */
export interface ScheduleReading {
  /** By the store's clock. */
  readonly now: number;
  readonly schedules: readonly (ScheduleRecord | undefined)[];
}

/** A page of what is due. */
export interface DueSchedules extends Page<ScheduleRecord> {
  /** By the store's clock. */
  readonly now: number;
  /** When, after now, the next running schedule falls due; absent where none does. */
  readonly nextAt?: number | undefined;
}
