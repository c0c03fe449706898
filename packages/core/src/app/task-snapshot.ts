import {
  type ChildrenSummary,
  summariseChildren,
  type TaskErrorInfo,
  type TaskPhase,
  type TaskRecord,
  type TaskStatus,
} from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";

/** A task as it stands, to look at. Times are milliseconds since the epoch. */
export interface TaskSnapshot {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly status: TaskStatus;
  /** What a RUNNING task waits for. */
  readonly phase: TaskPhase | undefined;
  /** How it ended, in one word; `undefined` until it has. */
  readonly outcome: "success" | "failure" | undefined;
  readonly userId: string | undefined;
  readonly parentId: string | undefined;
  readonly runId: string;
  readonly parameters: JsonValue;
  readonly progress: JsonValue | undefined;
  readonly result: JsonValue | undefined;
  readonly error: TaskErrorInfo | undefined;
  readonly attempts: number;
  readonly retryCount: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly lastAttemptAt: number | undefined;
  readonly nextAttemptAt: number | undefined;
  readonly expiresAt: number | undefined;
  /** The worker that runs or last ran it. */
  readonly node: string | undefined;
  readonly cancelRequested: boolean;
  /** How its sub-tasks stand. */
  readonly children: ChildrenSummary;
  /** 1 at first; raised by each replay. */
  readonly series: number;
  readonly version: number;
}

export function snapshotOf(record: TaskRecord): TaskSnapshot {
  return {
    id: record.id,
    type: record.type,
    queue: record.queue,
    status: record.status,
    phase: record.phase,
    outcome: outcomeOf(record.status),
    userId: record.userId,
    parentId: record.parentId,
    runId: record.rootId,
    parameters: record.input,
    progress: record.progress,
    result: record.result,
    error: record.error,
    attempts: record.attempts,
    retryCount: record.retryCount,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    lastAttemptAt: record.lastAttemptAt,
    nextAttemptAt: record.nextAttemptAt,
    expiresAt: record.expiresAt,
    node: record.node,
    cancelRequested: record.cancelRequested,
    children: summariseChildren(record.children),
    series: record.series,
    version: record.version,
  };
}

function outcomeOf(status: TaskStatus): TaskSnapshot["outcome"] {
  switch (status) {
    case "COMPLETED":
      return "success";
    case "COMPLETED_WITH_ERRORS":
    case "FAILED":
    case "CANCELLED":
    case "DEAD_LETTER":
      return "failure";
    default:
      return undefined;
  }
}
