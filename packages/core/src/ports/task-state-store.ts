import type { Duty, TaskDraft, TaskErrorInfo, TaskRecord, TaskStatus, TerminalStatus } from "../lifecycle/record.ts";
import type { Page, PageOptions } from "./delivery.ts";
import type { JsonValue } from "./json.ts";

/**
 * Where the truth about tasks is kept. Each item of each batch is one atomic step that names the token or the states it may leave; a batch is
 * not atomic as a whole. `version` rises at each write. Leases and times of day come from the store's own clock. What is returned is a
 * snapshot: changing it changes nothing.
 *
 * Every method may be called at any time from anywhere, rejects with `UNAVAILABLE` (`unknown` where the answer was lost) when the store cannot
 * be reached within a bounded time, and with `CLOSED` after the adapter's `close()`. Repeating any step whose answer was lost is safe.
 * Answers stand in the order of the batch. Where some items are refused (`PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`) the others take effect, and a batch of several rejects with a
 * `BatchError` that carries both; a batch of one rejects with the refusal itself.
 *
 * `lifecycle/transitions.ts` holds every step as a pure function; a store that can't run it, re-states it.
 */
export interface TaskStateStore extends TaskRecords, TaskLeases, TaskFamilies, TaskRecovery {
  readonly capabilities: TaskStateStoreCapabilities;
}

/** What an instance does beyond the contract, and where its limits are. */
export interface TaskStateStoreCapabilities {
  /** Visible to this process alone: refused under a networked command bus. */
  readonly processLocal: boolean;
  /** How late an expired record may still be seen by the server itself; readers never see one. */
  readonly ttlGranularityMs: number;
  /** The longest input, result or progress as JSON; a longer one rejects with `PAYLOAD_TOO_LARGE`. */
  readonly maxPayloadBytes: number;
}

/** What came of one draft. */
export type CreateOutcome =
  /** A new record, QUEUED, its first send begun. */
  | { readonly kind: "created"; readonly record: TaskRecord }
  /** The same submit again: same type and equal input. If the record was still unsent, its next send was begun (`resend`). */
  | { readonly kind: "existing"; readonly record: TaskRecord; readonly resend: boolean }
  /** It had been withdrawn: QUEUED again under the next series, with this draft's input. */
  | { readonly kind: "reopened"; readonly record: TaskRecord }
  /** The id belongs to a task of another type or with another input; nothing was changed. */
  | { readonly kind: "conflict"; readonly record: TaskRecord };

/** Which records to list; what is absent selects nothing out. */
export interface TaskQuery extends PageOptions {
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
  readonly type?: string | undefined;
  readonly userId?: string | undefined;
  readonly parentId?: string | undefined;
  readonly rootId?: string | undefined;
  /** Milliseconds since the epoch, inclusive. */
  readonly createdAfter?: number | undefined;
  /** Milliseconds since the epoch, exclusive. */
  readonly createdBefore?: number | undefined;
}

/** Names one sending of one record. */
export interface SendMark {
  readonly id: string;
  readonly series: number;
  readonly send: number;
}

/** Records and their first way to the bus. */
export interface TaskRecords {
  /** Idempotent by id. A draft with `tombstone` is created as CANCELLED at once: a reserved sub-task that must never start. */
  create(
    drafts: readonly (TaskDraft & { readonly tombstone?: boolean | undefined })[],
  ): Promise<readonly CreateOutcome[]>;
  /** `undefined` where there is no such record, or it has expired. */
  get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]>;
  /**
   * Newest first (by `createdAt`, then id). Writes between two pages neither repeat nor hide a record that was there all along.
   * @throws `CURSOR_INVALID`.
   */
  list(query: TaskQuery): Promise<Page<TaskRecord>>;
  /** Notes that sends arrived. A mark of an older series or send changes nothing. */
  markSent(marks: readonly SendMark[]): Promise<void>;
  /**
   * Takes back submits whose send failed: QUEUED, never claimed in this series, and every send that was begun known to have failed → CANCELLED and withdrawn; a root expires after its `retentionMs`.
   * @returns per mark whether it was withdrawn; if not, somebody else has the task in hand.
   */
  withdraw(marks: readonly SendMark[]): Promise<readonly boolean[]>;
  /** Sets (or with `undefined` lifts) when the records of a run expire. No record of a run expires before this is called. */
  retain(rootId: string, expiresAt: number | undefined): Promise<void>;
}

/** A request for the right to run, or to end, one task. */
export interface Claim {
  readonly id: string;
  /** The series of the message at hand. */
  readonly series: number;
  readonly node: string;
  /** Doubled for every earlier take-over by expiry. */
  readonly leaseMs: number;
  readonly maxAttempts: number;
  /** What the record owes when it ends. A root that has no sub-tasks is done with `retain` in the step that ends it, which sets `expiresAt`. */
  readonly owes: readonly Duty[];
  /** Creates the record where there is none, if `createdAt` is younger than its `retentionMs`. */
  readonly draft?: TaskDraft | undefined;
  /** Claim it although its next attempt's time has not come: to settle it as cancelled. Counts no attempt. Refused unless cancelling was requested. */
  readonly toCancel?: boolean | undefined;
}

/** Why a claim was refused. */
export type ClaimRefusal =
  /** Ended (or withdrawn); `record.duties` may still be owed. */
  | "finished"
  /** Someone else's lease is live until `retryInMs` from now. */
  | "running"
  /** Its next attempt's time comes in `retryInMs`. */
  | "early"
  /** The message belongs to an older series. */
  | "superseded"
  /** Its handler has ended; its sub-tasks close it. */
  | "awaiting-children"
  /** No record, and no draft or one older than its retention. */
  | "not-found"
  /** The message is of a later series than the store knows: the store has lost writes or lags. */
  | "behind"
  /** `toCancel`, but nobody asked for that. */
  | "not-cancelled";

/** What came of one claim. */
export type ClaimOutcome =
  | {
      readonly claimed: true;
      readonly record: TaskRecord;
      readonly lease: HeldLease;
      /** Why the holder must end it without running it: all attempts used up, cancelling requested, or its deadline passed. None of these counts as an attempt. */
      readonly instead?: "exhausted" | "cancelled" | "expired" | undefined;
    }
  | {
      readonly claimed: false;
      readonly reason: ClaimRefusal;
      readonly record?: TaskRecord | undefined;
      readonly retryInMs?: number | undefined;
    };

/** Proof of a claim. A write with a token that is not the latest one is refused. */
export interface HeldLease {
  readonly id: string;
  readonly token: number;
  /** By the store's clock. */
  readonly expiresAt: number;
  /** How long each renewal lasts: the asked `leaseMs`, doubled per take-over. */
  readonly leaseMs: number;
}

/** A lease to be kept, and what travels with that. */
export interface Renewal {
  readonly id: string;
  readonly token: number;
  readonly leaseMs: number;
  /** Sets the phase: `waiting`, or `null` to run again. */
  readonly phase?: "waiting" | null | undefined;
  /** Recorded with the renewal. */
  readonly progress?: JsonValue | undefined;
}

/** What came of one renewal. */
export type RenewOutcome =
  | { readonly held: true; readonly expiresAt: number; readonly cancelRequested: boolean }
  /** Somebody else took it over, or it has been settled. */
  | { readonly held: false };

/** A sub-task's key, to be reserved on its parent. */
export interface Reservation {
  readonly id: string;
  readonly token: number;
  readonly key: string;
  readonly childId: string;
}

/** What came of one reservation. */
export type ReserveOutcome =
  /** Newly reserved: the sub-task's record may be created. */
  | { readonly kind: "reserved" }
  /** The key was there already: an earlier attempt of the parent made it. */
  | { readonly kind: "existing"; readonly childId: string; readonly status: TaskStatus }
  /** The token is not the latest one. */
  | { readonly kind: "stale" };

/** How an attempt ended. */
export type SettleOutcomeKind =
  | { readonly kind: "completed"; readonly result?: JsonValue | undefined }
  | { readonly kind: "retry"; readonly error: TaskErrorInfo; readonly delayMs: number }
  | {
      readonly kind: "failed";
      readonly status: Exclude<TerminalStatus, "COMPLETED" | "COMPLETED_WITH_ERRORS">;
      readonly error: TaskErrorInfo;
    }
  /** Handed back, as if it had not been claimed: QUEUED, the attempt not counted. */
  | { readonly kind: "released"; readonly delayMs?: number | undefined };

/** The end of one attempt. */
export interface Settle {
  readonly id: string;
  readonly token: number;
  readonly outcome: SettleOutcomeKind;
  readonly progress?: JsonValue | undefined;
  /** The delivery is gone (the store has custody), so a retry or release needs a message of its own: begin the next send in the same step. */
  readonly resend: boolean;
  /** The send that the delivery in hand came with. A task that fails keeps it as its `sends`: of several sends it is the one to be put aside, also where a later one was begun and never went out. */
  readonly send?: number | undefined;
}

/** What came of one settle. */
export type SettleOutcome =
  /** `record.duties` are owed now. A retry or failure of a task that is to be cancelled ends it as CANCELLED instead. */
  | { readonly settled: true; readonly record: TaskRecord }
  /** The token is not the latest one, or it has been settled already. */
  | { readonly settled: false };

/** Claims under a lease with a fencing token. An expired lease that nobody took over is still good for all of these. */
export interface TaskLeases {
  /** Counts the attempt and gives a lease, or says why not. */
  claim(claims: readonly Claim[]): Promise<readonly ClaimOutcome[]>;
  renew(renewals: readonly Renewal[]): Promise<readonly RenewOutcome[]>;
  /** Reserves keys of sub-tasks on their parent, before these exist. */
  reserve(reservations: readonly Reservation[]): Promise<readonly ReserveOutcome[]>;
  /** Ends the attempt; what the task then owes is recorded in the same step. */
  settle(settles: readonly Settle[]): Promise<readonly SettleOutcome[]>;
}

/** Word to a parent that one of its sub-tasks has ended. */
export interface ChildEnd {
  readonly parentId: string;
  readonly key: string;
  readonly childId: string;
  readonly status: TerminalStatus;
  /** The sub-task's series that ended; of an older one than the parent expects: nothing changes. */
  readonly series: number;
}

/** An ended task, to be run again. */
export interface Reopen {
  readonly id: string;
  /** Only if it is still in this series: a second replay at the same time changes nothing. */
  readonly series: number;
  /** A new input raises the epoch; the old sub-tasks are left behind. */
  readonly input?: JsonValue | undefined;
  /** The stream of the new series; for a root only. */
  readonly streamId?: string | undefined;
  /** The parent's series that reopens it. */
  readonly parentSeries?: number | undefined;
}

/** Word to a parent that one of its sub-tasks is about to run again. */
export interface ReopenChild {
  readonly parentId: string;
  readonly key: string;
  readonly childId: string;
  /** The sub-task's series that is about to begin; told again, nothing changes. */
  readonly childSeries: number;
  /** The stream of the parent's new series, where the parent is a root that had ended. */
  readonly streamId?: string | undefined;
}

/** Steps between a task and its sub-tasks, and from the outside. */
export interface TaskFamilies {
  /**
   * Marks sub-tasks as ended on their parents. The last one closes a parent that waits for it. Telling twice is telling once. A newly
   * COMPLETED one restarts the attempt count of a parent that has not ended.
   * @returns the parents after the step, with what they owe now; `undefined` where there is none.
   */
  childEnded(ends: readonly ChildEnd[]): Promise<readonly (TaskRecord | undefined)[]>;
  /** Asks tasks to stop. Changes nothing on ended ones. @returns the records after the step. */
  requestCancel(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]>;
  /**
   * Opens an ended task (not a COMPLETED one, unless with a new input) under the next series: QUEUED, attempts 0, its first send begun, kept until it ends again.
   * @returns the record after the step, or `undefined` when it is not ended, still owes duties, or is in another series.
   */
  reopen(reopen: Reopen): Promise<TaskRecord | undefined>;
  /**
   * Marks a sub-task as open again on its parent. A parent that ended as COMPLETED_WITH_ERRORS opens as `awaiting-children` under its next series.
   * @returns the parent after the step, or `undefined` when there is none, it has ended otherwise, still owes duties, or does not know the sub-task.
   */
  reopenChild(reopen: ReopenChild): Promise<TaskRecord | undefined>;
}

/** Why the sweep found a record. */
export type RecoveryReason =
  /** Never known to have been sent; its next send was begun. */
  | "unsent"
  /** Its lease has run out; its next send was begun. */
  | "expired-lease"
  /** Its next attempt is overdue; its next send was begun. */
  | "overdue"
  /** Ended, or closing, with duties not done. */
  | "duties"
  /** Cancelling was requested and nobody holds it. */
  | "cancel"
  /** Waits for sub-tasks and was not touched for long: one may have ended untold, or never been made. */
  | "children";

/** How to sweep. */
export interface RecoverOptions {
  readonly node: string;
  /** How long this sweep keeps others out, renewed by the next page. */
  readonly leaseMs: number;
  /** What is younger than this, by its latest send or update, is left alone. */
  readonly graceMs: number;
  /** At the most so many records a page. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Part of what a sweep found. */
export type RecoverPage = Page<{ readonly record: TaskRecord; readonly reason: RecoveryReason }>;

/** What a crash left behind. */
export interface TaskRecovery {
  /**
   * Finds what has been left behind, never a task that merely waits in a queue. For a record that needs a message, the next send is begun in
   * the same step, so no two sweeps send it twice. Past the `graceMs` a record comes back in each sweep until it is mended.
   * @returns `undefined` while another node's sweep is at work.
   */
  recover(options: RecoverOptions): Promise<RecoverPage | undefined>;
  /** Strikes out duties that were done; of another series: nothing. */
  dutiesDone(
    done: readonly { readonly id: string; readonly series: number; readonly duties: readonly Duty[] }[],
  ): Promise<void>;
  /**
   * Tells, lossily, which tasks have just ended anywhere, so that waiting needs no tight poll. Never throws.
   * @returns stops it.
   */
  changes(onEnded: (ids: readonly string[]) => void): () => void;
}
