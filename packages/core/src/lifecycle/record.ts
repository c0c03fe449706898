import type { JsonValue } from "../ports/json.ts";

/** Where a task stands. The last five never change again, except by a replay. */
export type TaskStatus =
  | "QUEUED"
  | "RUNNING"
  | "RETRYING"
  | "COMPLETED"
  | "COMPLETED_WITH_ERRORS"
  | "FAILED"
  | "CANCELLED"
  | "DEAD_LETTER";

export const TERMINAL_STATUSES = ["COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCELLED", "DEAD_LETTER"] as const;
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

/**
 * What a RUNNING task waits for.
 * - `waiting`: its handler is inside `ctx.call`; lease held, delivery acknowledged, slot free.
 * - `awaiting-children`: its handler returned (the result is stored); the last open sub-task closes it.
 * - `closing`: it failed or was cancelled with open sub-tasks; they are being cancelled and the last one closes it.
 */
export type TaskPhase = "waiting" | "awaiting-children" | "closing";

/**
 * What a task owes after it has ended, recorded in the step that ends it and done at least once.
 * - `tell-parent`: mark the sub-task as ended on its parent.
 * - `end-stream`: append the terminal event to the run's stream and finish it.
 * - `announce`: publish the external copies of its lifecycle notifications.
 * - `retain`: set when the run's records expire.
 * - `cancel-children`: ask every open sub-task to stop.
 */
export type Duty = "tell-parent" | "end-stream" | "announce" | "retain" | "cancel-children";

/** Why a task failed, as it is stored. */
export interface TaskErrorInfo {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly stack?: string | undefined;
}

/** A sub-task as its parent knows it. */
export interface ChildState {
  readonly id: string;
  readonly status: TaskStatus;
  /** The sub-task's own series that the parent waits for. */
  readonly series: number;
}

export interface TaskLease {
  /** Fencing token: rises with every claim of the record, never repeats. */
  readonly token: number;
  /** By the store's clock, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The claim counted as an attempt; only such a one is given back when it is released. */
  readonly counted: boolean;
}

/** What is known of a task before anybody runs it. A message carries it whole, so that a claim can create a record that is missing. */
export interface TaskDraft {
  readonly id: string;
  /** The contract's name. */
  readonly type: string;
  readonly taskVersion: string;
  readonly queue: string;
  readonly input: JsonValue;
  readonly userId?: string | undefined;
  readonly parentId?: string | undefined;
  /** The id of the run: the root task's id. */
  readonly rootId: string;
  /** The key under which the parent reserved it. */
  readonly key?: string | undefined;
  /** The parent's series in which it was made or last reopened. */
  readonly parentSeries?: number | undefined;
  readonly series: number;
  /** The stream that its events go to. */
  readonly streamId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Not to be started before. */
  readonly notBefore?: number | undefined;
  /** Not to be started after. */
  readonly deadlineAt?: number | undefined;
  /** How long the finished run is kept. */
  readonly retentionMs: number;
  readonly traceparent?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
}

/** Everything a store keeps of a task. Times are milliseconds since the epoch. */
export interface TaskRecord extends Omit<TaskDraft, "notBefore"> {
  readonly status: TaskStatus;
  readonly phase?: TaskPhase | undefined;
  /** The status it gets when `closing` is over. */
  readonly closesAs?: TerminalStatus | undefined;
  /** Its send failed and its submitter was told: shown as CANCELLED, reopened when the id is submitted again. */
  readonly withdrawn: boolean;
  readonly progress?: JsonValue | undefined;
  readonly result?: JsonValue | undefined;
  readonly error?: TaskErrorInfo | undefined;
  /** Sends begun in this series: the next message carries `sends` as its send number. Of a task that failed: the one in whose hands it did. */
  readonly sends: number;
  /** Those of them that their senders know to have failed. */
  readonly failedSends: readonly number[];
  /** When the latest send began. */
  readonly sendingAt: number;
  /** When the latest send was known to have arrived; absent while it is not. */
  readonly sentAt?: number | undefined;
  /** Claims since the series began, or since the latest newly finished step of a workflow. */
  readonly attempts: number;
  /** Attempts beyond the first over the whole life of the record. */
  readonly retryCount: number;
  readonly updatedAt: number;
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  readonly lastAttemptAt?: number | undefined;
  readonly nextAttemptAt?: number | undefined;
  /** When the record goes; absent until its root has ended. */
  readonly expiresAt?: number | undefined;
  /** The worker that holds or last held it. */
  readonly node?: string | undefined;
  readonly lease?: TaskLease | undefined;
  /** The highest token given out so far. Begins at the store's time in milliseconds, so that tokens do not repeat where an id is used again after its record has gone. */
  readonly fence: number;
  /** How often it was taken over from an expired lease; each doubles the lease. */
  readonly takeovers: number;
  readonly cancelRequested: boolean;
  /** Rises when a replay changes the input; part of what child ids derive from. */
  readonly epoch: number;
  /** Sub-tasks of this epoch by key. */
  readonly children: Readonly<Record<string, ChildState>>;
  /** What is still owed. */
  readonly duties: readonly Duty[];
  /** What the record owes when it ends. */
  readonly owes: readonly Duty[];
  /** Rises at every write. */
  readonly version: number;
}

/** How a task's sub-tasks stand, derived from their states. */
export interface ChildrenSummary {
  readonly total: number;
  readonly open: number;
  readonly completed: number;
  /** Ended in any other way than COMPLETED. */
  readonly failed: number;
}

export function isTerminal(status: TaskStatus): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly TaskStatus[]).includes(status);
}

export function summariseChildren(children: TaskRecord["children"]): ChildrenSummary {
  let total = 0;
  let open = 0;
  let completed = 0;
  for (const key in children) {
    total++;
    const status = (children[key] as ChildState).status;
    if (status === "COMPLETED") completed++;
    else if (!isTerminal(status)) open++;
  }
  return { total, open, completed, failed: total - open - completed };
}
