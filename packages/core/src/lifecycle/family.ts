import type { ChildEnd, Reopen, ReopenChild } from "../ports/task-state-store.ts";
import { isTerminal, type TaskRecord } from "./record.ts";
import { close, completedStatus, finish, hasOpenChildren } from "./settling.ts";
import { childOf, NO_CHILDREN, NONE, touch, withChild } from "./step.ts";

export function childEnded(record: TaskRecord | undefined, end: ChildEnd, now: number): TaskRecord | undefined {
  if (record === undefined) return undefined;
  const known = childOf(record, end.key);
  if (known === undefined || known.id !== end.childId) return record;
  if (end.series < known.series || (end.series === known.series && isTerminal(known.status))) return record;
  const ended = isTerminal(record.status);
  const told = touch(record, now);
  // Of a later series than was awaited: the word of its reopening has been overtaken, and must find nothing to change.
  told.children = withChild(record.children, end.key, { id: known.id, status: end.status, series: end.series });
  if (ended) return told;
  const handled = record.phase === "awaiting-children" || record.phase === "closing";
  // A newly finished step is progress: the count of attempts starts again (the one under way counts), unless there will be no more of them.
  if (end.status === "COMPLETED" && !handled) {
    told.attempts = Math.min(record.attempts, record.lease === undefined ? 0 : 1);
    // So does that of its take-overs: a workflow of many crashes shall not end with a lease of hours.
    told.takeovers = 0;
  }
  if (handled && !hasOpenChildren(told))
    finish(told, record.phase === "closing" ? (record.closesAs ?? "FAILED") : completedStatus(told), now);
  return told;
}

export function requestCancel(record: TaskRecord, now: number): TaskRecord {
  if (isTerminal(record.status) || record.cancelRequested) return record;
  const asked = touch(record, now);
  asked.cancelRequested = true;
  // Its handler is through: nobody will look at the request but its sub-tasks' canceller.
  if (record.phase === "awaiting-children") close(asked, "CANCELLED");
  return asked;
}

/** `undefined`: not to be reopened. */
export function reopen(record: TaskRecord, ask: Reopen, now: number): TaskRecord | undefined {
  const changed = ask.input !== undefined;
  const reopenable =
    isTerminal(record.status) &&
    (record.status !== "COMPLETED" || changed) &&
    record.duties.length === 0 &&
    record.series === ask.series;
  if (!reopenable) return undefined;
  const next = touch(record, now);
  next.series++;
  if (ask.streamId !== undefined) next.streamId = ask.streamId;
  if (ask.parentSeries !== undefined) next.parentSeries = ask.parentSeries;
  if (ask.input !== undefined) {
    next.input = ask.input;
    next.epoch++;
    next.children = NO_CHILDREN;
  }
  next.status = "QUEUED";
  next.phase = undefined;
  next.closesAs = undefined;
  next.withdrawn = false;
  next.progress = undefined;
  next.result = undefined;
  next.error = undefined;
  next.sends = 1;
  next.failedSends = NONE;
  next.sendingAt = now;
  next.sentAt = undefined;
  next.attempts = 0;
  next.takeovers = 0;
  next.finishedAt = undefined;
  next.expiresAt = undefined;
  next.nextAttemptAt = undefined;
  next.deadlineAt = undefined;
  next.lease = undefined;
  next.cancelRequested = false;
  return next;
}

/** `undefined`: not to be reopened. */
export function reopenChild(record: TaskRecord, ask: ReopenChild, now: number): TaskRecord | undefined {
  const known = childOf(record, ask.key);
  if (known === undefined || known.id !== ask.childId) return undefined;
  if (known.series >= ask.childSeries) return record;
  const ended = isTerminal(record.status);
  if (ended && (record.status !== "COMPLETED_WITH_ERRORS" || record.duties.length > 0)) return undefined;
  if (record.phase === "closing") return undefined;
  const next = touch(record, now);
  next.children = withChild(record.children, ask.key, { ...known, status: "QUEUED", series: ask.childSeries });
  if (!ended) return next;
  next.series++;
  if (ask.streamId !== undefined) next.streamId = ask.streamId;
  next.status = "RUNNING";
  next.phase = "awaiting-children";
  next.finishedAt = undefined;
  next.expiresAt = undefined;
  next.cancelRequested = false;
  return next;
}
