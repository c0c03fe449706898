import type { CreateOutcome } from "../ports/task-state-store.ts";
import { jsonEqual } from "./json-equal.ts";
import type { TaskDraft, TaskRecord } from "./record.ts";
import { beginSend } from "./sending.ts";
import { NO_CHILDREN, NONE, type Step } from "./step.ts";

export function newRecord(draft: TaskDraft, now: number, tombstone = false): TaskRecord {
  return {
    id: draft.id,
    type: draft.type,
    taskVersion: draft.taskVersion,
    queue: draft.queue,
    input: draft.input,
    userId: draft.userId,
    parentId: draft.parentId,
    rootId: draft.rootId,
    key: draft.key,
    parentSeries: draft.parentSeries,
    series: draft.series,
    streamId: draft.streamId,
    createdAt: draft.createdAt,
    deadlineAt: draft.deadlineAt,
    retentionMs: draft.retentionMs,
    traceparent: draft.traceparent,
    correlationId: draft.correlationId,
    causationId: draft.causationId,
    status: tombstone ? "CANCELLED" : "QUEUED",
    phase: undefined,
    closesAs: undefined,
    withdrawn: tombstone,
    progress: undefined,
    result: undefined,
    error: undefined,
    sends: tombstone ? 0 : 1,
    failedSends: NONE,
    sendingAt: now,
    sentAt: undefined,
    attempts: 0,
    retryCount: 0,
    updatedAt: now,
    startedAt: undefined,
    finishedAt: tombstone ? now : undefined,
    lastAttemptAt: undefined,
    nextAttemptAt: draft.notBefore,
    expiresAt: undefined,
    node: undefined,
    lease: undefined,
    // Not 0: whoever still holds a token of an earlier record of this id, which has expired since, holds none of this one.
    fence: Math.floor(now),
    takeovers: 0,
    cancelRequested: tombstone,
    epoch: 1,
    children: NO_CHILDREN,
    duties: tombstone && draft.parentId !== undefined ? ["tell-parent"] : NONE,
    owes: NONE,
    version: 1,
  };
}

export function create(
  existing: TaskRecord | undefined,
  draft: TaskDraft & { readonly tombstone?: boolean | undefined },
  now: number,
): Step<CreateOutcome> {
  if (existing === undefined) {
    const record = newRecord(draft, now, draft.tombstone);
    return { record, outcome: { kind: "created", record } };
  }
  if (existing.withdrawn && reopensWithdrawn(existing, draft)) {
    const record: TaskRecord = {
      ...newRecord({ ...draft, series: existing.series + 1 }, now, draft.tombstone),
      retryCount: existing.retryCount,
      fence: existing.fence,
      version: existing.version + 1,
    };
    return { record, outcome: { kind: "reopened", record } };
  }
  const same =
    existing.type === draft.type &&
    existing.parentId === draft.parentId &&
    existing.key === draft.key &&
    // The recorded sub-task wins over a changed input, with a warning that its caller gives.
    (draft.parentId !== undefined || draft.tombstone || jsonEqual(existing.input, draft.input));
  if (!same) return { record: existing, outcome: { kind: "conflict", record: existing } };
  if (existing.status !== "QUEUED" || existing.sentAt !== undefined || draft.tombstone) {
    return { record: existing, outcome: { kind: "existing", record: existing, resend: false } };
  }
  // Still unsent: this submit sends too, under a number of its own, so that neither's withdrawal takes back what the other sent.
  const record = beginSend(existing, now);
  return { record, outcome: { kind: "existing", record, resend: true } };
}

/**
 * A withdrawn root may come back as anything of its type. A withdrawn sub-task, a tombstone among them (whose type nobody knew), comes back only with a
 * later series of its parent: an attempt that lost its lease must not bring it back.
 */
function reopensWithdrawn(existing: TaskRecord, draft: TaskDraft): boolean {
  if (existing.parentId !== draft.parentId) return false;
  if (draft.parentId === undefined) return existing.type === draft.type;
  return (draft.parentSeries ?? 0) > (existing.parentSeries ?? 0);
}
