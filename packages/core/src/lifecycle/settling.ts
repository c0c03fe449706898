import type { Settle, SettleOutcome } from "../ports/task-state-store.ts";
import { holds } from "./claiming.ts";
import { type Duty, summariseChildren, type TaskRecord, type TerminalStatus } from "./record.ts";
import { numberSend } from "./sending.ts";
import { type Draft, NONE, nextVersion, type Step, touch } from "./step.ts";

/** A record that owes something is kept for so long at least, whatever its retention: who is to do it must find it. */
const OWING_MS = 3_600_000;

export function settle(
  record: TaskRecord | undefined,
  ask: Settle,
  now: number,
): Step<SettleOutcome, TaskRecord | undefined> {
  if (!holds(record, ask.token)) return { record, outcome: { settled: false } };
  const next = touch(record, now);
  next.lease = undefined;
  next.phase = undefined;
  if (ask.progress !== undefined) next.progress = ask.progress;
  settleAs(next, ask, record.lease?.counted ?? false, now);
  return { record: next, outcome: { settled: true, record: next } };
}

function settleAs(next: Draft, ask: Settle, counted: boolean, now: number): void {
  const { outcome } = ask;
  switch (outcome.kind) {
    case "completed":
      next.result = outcome.result;
      next.error = undefined;
      if (!hasOpenChildren(next)) finish(next, completedStatus(next), now);
      // Asked to cancel before it returned: as when asked after, its sub-tasks decide nothing any more.
      else if (next.cancelRequested) close(next, "CANCELLED");
      else next.phase = "awaiting-children";
      return;
    case "failed":
      next.error = outcome.error;
      if (ask.send !== undefined) next.sends = ask.send;
      // What was asked to stop may fail of just that, such as of a sub-task that was never made.
      end(next, next.cancelRequested ? "CANCELLED" : outcome.status, now);
      return;
    case "retry":
      next.error = outcome.error;
      if (next.cancelRequested) {
        end(next, "CANCELLED", now);
        return;
      }
      next.status = "RETRYING";
      next.nextAttemptAt = now + outcome.delayMs;
      break;
    case "released":
      next.status = "QUEUED";
      if (counted) {
        next.attempts = Math.max(0, next.attempts - 1);
        if (next.retryCount === 0) next.startedAt = undefined;
        next.retryCount = Math.max(0, next.retryCount - 1);
      }
      next.nextAttemptAt = outcome.delayMs ? now + outcome.delayMs : undefined;
      break;
  }
  if (ask.resend) numberSend(next, now);
}

function end(next: Draft, status: TerminalStatus, now: number): void {
  if (hasOpenChildren(next)) close(next, status);
  else finish(next, status, now);
}

/** Its sub-tasks are to be cancelled; the last one to end makes it `status`. */
export function close(next: Draft, status: TerminalStatus): void {
  next.phase = "closing";
  next.closesAs = status;
  next.duties = ["cancel-children"];
}

export function finish(next: Draft, status: TerminalStatus, now: number): void {
  next.status = status;
  next.phase = undefined;
  next.closesAs = undefined;
  next.nextAttemptAt = undefined;
  next.finishedAt = now;
  next.takeovers = 0;
  next.duties = next.owes;
  // A run of one record is told when to go in the step that ends it.
  if (
    next.parentId === undefined &&
    next.duties.includes("retain") &&
    next.epoch === 1 &&
    Object.keys(next.children).length === 0
  ) {
    next.duties = next.duties.filter((duty) => duty !== "retain");
    next.expiresAt = now + (next.duties.length === 0 ? next.retentionMs : Math.max(OWING_MS, next.retentionMs));
  }
}

export function completedStatus(record: TaskRecord): TerminalStatus {
  return summariseChildren(record.children).failed > 0 ? "COMPLETED_WITH_ERRORS" : "COMPLETED";
}

export function hasOpenChildren(record: TaskRecord): boolean {
  return summariseChildren(record.children).open > 0;
}

export function dutiesDone(record: TaskRecord, series: number, done: readonly Duty[]): TaskRecord {
  if (record.series !== series || record.duties.length === 0) return record;
  const duties = record.duties.filter((duty) => !done.includes(duty));
  if (duties.length === record.duties.length) return record;
  const next = nextVersion(record);
  next.duties = duties.length === 0 ? NONE : duties;
  // A sub-task is kept for as long as its run, which is told by its root.
  if (
    duties.length === 0 &&
    next.parentId === undefined &&
    next.expiresAt !== undefined &&
    next.finishedAt !== undefined
  )
    next.expiresAt = Math.min(next.expiresAt, next.finishedAt + next.retentionMs);
  return next;
}

/** Sets when the record goes, or that it stays. */
export function retain(record: TaskRecord, expiresAt: number | undefined): TaskRecord {
  if (record.expiresAt === expiresAt) return record;
  const next = nextVersion(record);
  next.expiresAt = expiresAt;
  return next;
}
