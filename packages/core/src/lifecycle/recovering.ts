import type { RecoveryReason } from "../ports/task-state-store.ts";
import { isTerminal, type TaskRecord } from "./record.ts";
import { beginSend } from "./sending.ts";
import { touch } from "./step.ts";

/** Whether the sweep may ever want the record as it is: what merely waits in a queue, and what ended owing nothing, need not be looked at. */
export function mayNeedRecovery(record: TaskRecord): boolean {
  if (record.duties.length > 0) return true;
  if (isTerminal(record.status)) return false;
  return (
    record.status !== "QUEUED" ||
    record.sentAt === undefined ||
    record.nextAttemptAt !== undefined ||
    record.cancelRequested
  );
}

/** Why the record has been left behind; `undefined` while it has not. */
export function recoveryReason(record: TaskRecord, graceMs: number, now: number): RecoveryReason | undefined {
  const untouched = now - record.updatedAt >= graceMs;
  if (record.duties.length > 0) return untouched ? "duties" : undefined;
  if (isTerminal(record.status)) return undefined;
  const closing = record.phase === "closing";
  const held = record.lease !== undefined && record.lease.expiresAt > now;
  if (record.cancelRequested && !held && !closing && untouched) return "cancel";
  if (closing || record.phase === "awaiting-children") return untouched ? "children" : undefined;
  if (now < nextSendAt(record, graceMs)) return undefined;
  if (record.status === "RUNNING") return held ? undefined : "expired-lease";
  if (record.status === "QUEUED" && record.sentAt === undefined) return "unsent";
  const overdue = record.nextAttemptAt !== undefined && record.nextAttemptAt + graceMs <= now;
  return overdue || (record.status === "RETRYING" && record.sentAt === undefined) ? "overdue" : undefined;
}

/**
 * When a message may be taken for lost, and another be sent. What has arrived may wait in a queue that nobody works on, or a long one: each further message waits twice as
 * long as the task has waited already, so that a day costs a dozen.
 */
function nextSendAt({ sendingAt, sentAt, lease, nextAttemptAt }: TaskRecord, graceMs: number): number {
  const dueAt = lease?.expiresAt ?? nextAttemptAt;
  if (sentAt === undefined || dueAt === undefined) return sendingAt + graceMs;
  return sendingAt + Math.max(graceMs, sendingAt - dueAt);
}

/**
 * The earliest time at which {@link recoveryReason} may give one, whatever the grace, for stores that look records up by it; `undefined` where it never will while the record stays as it
 * is.
 */
export function recoveryTime(record: TaskRecord): number | undefined {
  const { updatedAt, lease, nextAttemptAt } = record;
  if (record.duties.length > 0) return updatedAt;
  if (!mayNeedRecovery(record)) return undefined;
  if (record.phase === "closing" || record.phase === "awaiting-children") return updatedAt;
  if (record.cancelRequested) return Math.max(updatedAt, lease?.expiresAt ?? 0);
  const sendAt = nextSendAt(record, 0);
  if (record.status === "RUNNING") return Math.max(sendAt, lease?.expiresAt ?? 0);
  return record.sentAt === undefined ? sendAt : Math.max(sendAt, nextAttemptAt ?? 0);
}

/** The record as the sweep hands it out: what needs a message has its next send begun, what waits for sub-tasks comes back once per grace. */
export function recover(record: TaskRecord, reason: RecoveryReason, now: number): TaskRecord {
  switch (reason) {
    case "unsent":
    case "expired-lease":
    case "overdue":
      return beginSend(record, now);
    case "children":
      return touch(record, now);
    case "duties":
    case "cancel":
      return record;
  }
}
