import type { SendMark } from "../ports/task-state-store.ts";
import { isTerminal, type TaskRecord } from "./record.ts";
import { type Draft, nextVersion, type Step, touch } from "./step.ts";

/** Begins the next send: a message with the record's series and `sends` may go out now. */
export function beginSend(record: TaskRecord, now: number): TaskRecord {
  const next = touch(record, now);
  numberSend(next, now);
  return next;
}

/** Gives the next send its number, within a step that has changed the record already. */
export function numberSend(next: Draft, now: number): void {
  next.sends++;
  next.sendingAt = now;
  next.sentAt = undefined;
}

export function markSent(record: TaskRecord, mark: SendMark, now: number): TaskRecord {
  if (record.sentAt !== undefined || isTerminal(record.status) || !names(mark, record)) return record;
  const next = nextVersion(record);
  next.sentAt = now;
  return next;
}

export function withdraw(record: TaskRecord, mark: SendMark, now: number): Step<boolean> {
  if (record.series !== mark.series || mark.send > record.sends) return { record, outcome: false };
  // Asked again because the answer was lost.
  if (record.withdrawn) return { record, outcome: true };
  // A claim sets `sentAt`: with `undefined` nobody has it, and nobody ever had it in this series.
  if (record.status !== "QUEUED" || record.sentAt !== undefined) return { record, outcome: false };
  if (record.failedSends.includes(mark.send)) return { record, outcome: false };
  const failed = [...record.failedSends, mark.send];
  const next = touch(record, now);
  next.failedSends = failed;
  // Another send was begun, and whoever began it may have told its submitter that it arrived.
  if (failed.length < record.sends) return { record: next, outcome: false };
  next.status = "CANCELLED";
  next.withdrawn = true;
  next.nextAttemptAt = undefined;
  next.finishedAt = now;
  // A sub-task goes with its root.
  if (next.parentId === undefined) next.expiresAt = now + next.retentionMs;
  return { record: next, outcome: true };
}

function names(mark: SendMark, record: TaskRecord): boolean {
  return record.series === mark.series && record.sends === mark.send;
}
