/**
 * The life of a task's record as pure steps: what a store runs, or re-states in its server's own language. Each takes the record as it is and
 * the store's time, and returns the record as it becomes (the same object when nothing changes) with the answer to give.
 */
import type { JsonValue } from "../ports/json.ts";
import type {
  ChildEnd,
  Claim,
  ClaimOutcome,
  ClaimRefusal,
  CreateOutcome,
  Renewal,
  RenewOutcome,
  Reopen,
  ReopenChild,
  Reservation,
  ReserveOutcome,
  SendMark,
  Settle,
  SettleOutcome,
} from "../ports/task-state-store.ts";
import { type Duty, isTerminal, summariseChildren, type TaskDraft, type TaskRecord, type TerminalStatus } from "./record.ts";

/** A record after a step, and the step's answer. */
export interface Step<Outcome, Record = TaskRecord> {
  readonly record: Record;
  readonly outcome: Outcome;
}

const NONE: readonly never[] = [];
const NO_CHILDREN = Object.freeze({});

/** Take-overs past this many no longer lengthen the lease. */
const MAX_LEASE_DOUBLINGS = 10;

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
    withdrawn: false,
    progress: undefined,
    result: undefined,
    error: undefined,
    sends: tombstone ? 0 : 1,
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
    fence: 0,
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
  if (existing.withdrawn && existing.type === draft.type && existing.parentId === draft.parentId) {
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
  // Still unsent: this submit sends too, under a number of its own, so that the other's withdrawal can't take it back.
  const record = beginSend(existing, now);
  return { record, outcome: { kind: "existing", record, resend: true } };
}

/** Begins the next send: a message with the record's series and `sends` may go out now. */
export function beginSend(record: TaskRecord, now: number): TaskRecord {
  return { ...record, sends: record.sends + 1, sendingAt: now, sentAt: undefined, updatedAt: now, version: record.version + 1 };
}

export function markSent(record: TaskRecord, mark: SendMark, now: number): TaskRecord {
  if (record.series !== mark.series || record.sends !== mark.send || record.sentAt !== undefined) return record;
  return { ...record, sentAt: now, version: record.version + 1 };
}

export function withdraw(record: TaskRecord, mark: SendMark, now: number): Step<boolean> {
  const untouched =
    record.status === "QUEUED" &&
    record.attempts === 0 &&
    record.startedAt === undefined &&
    record.sentAt === undefined &&
    record.series === mark.series &&
    record.sends === mark.send;
  if (!untouched) return { record, outcome: false };
  return {
    record: { ...record, status: "CANCELLED", withdrawn: true, finishedAt: now, updatedAt: now, version: record.version + 1 },
    outcome: true,
  };
}

export function claim(existing: TaskRecord | undefined, ask: Claim, now: number): Step<ClaimOutcome, TaskRecord | undefined> {
  let record = existing;
  if (record === undefined) {
    if (ask.draft === undefined || now - ask.draft.createdAt > ask.draft.retentionMs) {
      return { record, outcome: { claimed: false, reason: "not-found" } };
    }
    // The message in hand is its latest send, and it has arrived.
    record = { ...newRecord(ask.draft, now), sentAt: now };
  }
  if (ask.series < record.series) return refuse(record, "superseded");
  if (ask.series > record.series) return refuse(record, "behind");
  if (isTerminal(record.status)) return refuse(record, "finished");
  if (record.phase === "awaiting-children" || record.phase === "closing") return refuse(record, "awaiting-children");
  if (record.lease !== undefined && record.lease.expiresAt > now) return refuse(record, "running", record.lease.expiresAt - now);
  if (ask.toCancel && !record.cancelRequested) return refuse(record, "not-cancelled");
  if (!record.cancelRequested && record.nextAttemptAt !== undefined && record.nextAttemptAt > now) {
    return refuse(record, "early", record.nextAttemptAt - now);
  }
  const instead = insteadOfRunning(record, ask, now);
  const counted = instead === undefined;
  const takeovers = record.takeovers + (record.lease === undefined ? 0 : 1);
  const leaseMs = ask.leaseMs * 2 ** Math.min(takeovers, MAX_LEASE_DOUBLINGS);
  const token = record.fence + 1;
  const expiresAt = now + leaseMs;
  const claimed: TaskRecord = {
    ...record,
    status: "RUNNING",
    phase: undefined,
    attempts: record.attempts + (counted ? 1 : 0),
    retryCount: record.retryCount + (counted && record.startedAt !== undefined ? 1 : 0),
    startedAt: record.startedAt ?? (counted ? now : undefined),
    lastAttemptAt: counted ? now : record.lastAttemptAt,
    nextAttemptAt: undefined,
    node: ask.node,
    lease: { token, expiresAt },
    fence: token,
    takeovers,
    owes: ask.owes,
    updatedAt: now,
    version: record.version + 1,
  };
  return { record: claimed, outcome: { claimed: true, record: claimed, lease: { id: record.id, token, expiresAt, leaseMs }, instead } };
}

function insteadOfRunning(record: TaskRecord, ask: Claim, now: number): "exhausted" | "cancelled" | "expired" | undefined {
  if (record.cancelRequested) return "cancelled";
  if (record.startedAt === undefined && record.deadlineAt !== undefined && record.deadlineAt < now) return "expired";
  return record.attempts >= ask.maxAttempts ? "exhausted" : undefined;
}

function refuse(record: TaskRecord, reason: ClaimRefusal, retryInMs?: number): Step<ClaimOutcome> {
  return { record, outcome: { claimed: false, reason, record, retryInMs } };
}

/** A token is good while it is the latest one and the attempt has not been settled, even after its lease ran out. */
function holds(record: TaskRecord | undefined, token: number): record is TaskRecord {
  return record?.lease !== undefined && record.lease.token === token;
}

export function renew(record: TaskRecord | undefined, ask: Renewal, now: number): Step<RenewOutcome, TaskRecord | undefined> {
  if (!holds(record, ask.token)) return { record, outcome: { held: false } };
  const expiresAt = now + ask.leaseMs;
  const renewed: TaskRecord = {
    ...record,
    lease: { token: ask.token, expiresAt },
    phase: ask.phase === undefined ? record.phase : (ask.phase ?? undefined),
    progress: ask.progress === undefined ? record.progress : ask.progress,
    updatedAt: now,
    version: record.version + 1,
  };
  return { record: renewed, outcome: { held: true, expiresAt, cancelRequested: record.cancelRequested } };
}

export function reserve(record: TaskRecord | undefined, ask: Reservation, now: number): Step<ReserveOutcome, TaskRecord | undefined> {
  if (!holds(record, ask.token)) return { record, outcome: { kind: "stale" } };
  const known = Object.hasOwn(record.children, ask.key) ? record.children[ask.key] : undefined;
  if (known !== undefined) {
    return { record, outcome: { kind: "existing", childId: known.id, status: known.status } };
  }
  const children = { ...record.children };
  setOwn(children, ask.key, { id: ask.childId, status: "QUEUED", series: 1 });
  return {
    record: { ...record, children, updatedAt: now, version: record.version + 1 },
    outcome: { kind: "reserved" },
  };
}

export function settle(record: TaskRecord | undefined, ask: Settle, now: number): Step<SettleOutcome, TaskRecord | undefined> {
  if (!holds(record, ask.token)) return { record, outcome: { settled: false } };
  const base: TaskRecord = {
    ...record,
    lease: undefined,
    phase: undefined,
    progress: ask.progress === undefined ? record.progress : ask.progress,
    updatedAt: now,
    version: record.version + 1,
  };
  const settled = settleAs(base, ask, now);
  return { record: settled, outcome: { settled: true, record: settled } };
}

function settleAs(base: TaskRecord, ask: Settle, now: number): TaskRecord {
  const { outcome } = ask;
  switch (outcome.kind) {
    case "completed": {
      const record: TaskRecord = { ...base, result: outcome.result, error: undefined };
      return summariseChildren(record.children).open > 0 ? { ...record, phase: "awaiting-children" } : finish(record, completedStatus(record), now);
    }
    case "failed":
      return fail({ ...base, error: outcome.error }, outcome.status, now);
    case "retry": {
      if (base.cancelRequested) return fail({ ...base, error: outcome.error }, "CANCELLED", now);
      const retrying: TaskRecord = { ...base, status: "RETRYING", error: outcome.error, nextAttemptAt: now + outcome.delayMs };
      return ask.resend ? { ...retrying, sends: base.sends + 1, sendingAt: now, sentAt: undefined } : retrying;
    }
    case "released": {
      const released: TaskRecord = {
        ...base,
        status: "QUEUED",
        attempts: Math.max(0, base.attempts - 1),
        retryCount: Math.max(0, base.retryCount - 1),
        startedAt: base.retryCount === 0 ? undefined : base.startedAt,
        nextAttemptAt: outcome.delayMs ? now + outcome.delayMs : undefined,
      };
      return ask.resend ? { ...released, sends: base.sends + 1, sendingAt: now, sentAt: undefined } : released;
    }
  }
}

function fail(record: TaskRecord, status: TerminalStatus, now: number): TaskRecord {
  if (summariseChildren(record.children).open === 0) return finish(record, status, now);
  return { ...record, status: "RUNNING", phase: "closing", closesAs: status, duties: ["cancel-children"] };
}

function finish(record: TaskRecord, status: TerminalStatus, now: number): TaskRecord {
  return { ...record, status, phase: undefined, closesAs: undefined, nextAttemptAt: undefined, finishedAt: now, takeovers: 0, duties: record.owes };
}

function completedStatus(record: TaskRecord): TerminalStatus {
  return summariseChildren(record.children).failed > 0 ? "COMPLETED_WITH_ERRORS" : "COMPLETED";
}

export function childEnded(record: TaskRecord | undefined, end: ChildEnd, now: number): TaskRecord | undefined {
  const known = record !== undefined && Object.hasOwn(record.children, end.key) ? record.children[end.key] : undefined;
  if (record === undefined || known === undefined || known.id !== end.childId) return record;
  if (known.status === end.status || end.series < known.series) return record;
  const children = { ...record.children };
  setOwn(children, end.key, { ...known, status: end.status });
  const ended = isTerminal(record.status);
  const told: TaskRecord = {
    ...record,
    children,
    // A newly finished step is progress: the count of attempts starts again (the one under way counts).
    attempts: end.status === "COMPLETED" && !ended ? Math.min(record.attempts, record.lease === undefined ? 0 : 1) : record.attempts,
    updatedAt: now,
    version: record.version + 1,
  };
  if (ended || (told.phase !== "awaiting-children" && told.phase !== "closing") || summariseChildren(children).open > 0) return told;
  return finish(told, told.phase === "closing" ? (told.closesAs ?? "FAILED") : completedStatus(told), now);
}

export function requestCancel(record: TaskRecord, now: number): TaskRecord {
  if (isTerminal(record.status) || record.cancelRequested) return record;
  const asked: TaskRecord = { ...record, cancelRequested: true, updatedAt: now, version: record.version + 1 };
  // Its handler is through: nobody will look at the request but its sub-tasks' canceller.
  if (record.phase !== "awaiting-children") return asked;
  return { ...asked, phase: "closing", closesAs: "CANCELLED", duties: ["cancel-children"] };
}

/** `undefined`: not to be reopened. */
export function reopen(record: TaskRecord, ask: Reopen, now: number): TaskRecord | undefined {
  const changed = ask.input !== undefined;
  const reopenable =
    isTerminal(record.status) && (record.status !== "COMPLETED" || changed) && record.duties.length === 0 && record.series === ask.series;
  if (!reopenable) return undefined;
  return {
    ...record,
    series: record.series + 1,
    streamId: ask.streamId ?? record.streamId,
    parentSeries: ask.parentSeries ?? record.parentSeries,
    input: ask.input ?? record.input,
    epoch: record.epoch + (changed ? 1 : 0),
    children: changed ? NO_CHILDREN : record.children,
    status: "QUEUED",
    phase: undefined,
    closesAs: undefined,
    withdrawn: false,
    progress: undefined,
    result: undefined,
    error: undefined,
    sends: 1,
    sendingAt: now,
    sentAt: undefined,
    attempts: 0,
    takeovers: 0,
    finishedAt: undefined,
    expiresAt: undefined,
    nextAttemptAt: undefined,
    deadlineAt: undefined,
    lease: undefined,
    cancelRequested: false,
    updatedAt: now,
    version: record.version + 1,
  };
}

/** `undefined`: not to be reopened. */
export function reopenChild(record: TaskRecord, ask: ReopenChild, now: number): TaskRecord | undefined {
  const known = Object.hasOwn(record.children, ask.key) ? record.children[ask.key] : undefined;
  if (known === undefined || known.id !== ask.childId) return undefined;
  if (known.series >= ask.childSeries) return record;
  const ended = isTerminal(record.status);
  if (ended && (record.status !== "COMPLETED_WITH_ERRORS" || record.duties.length > 0)) return undefined;
  if (record.phase === "closing") return undefined;
  const series = record.series + (ended ? 1 : 0);
  const children = { ...record.children };
  setOwn(children, ask.key, { ...known, status: "QUEUED", series: ask.childSeries });
  const marked: TaskRecord = { ...record, children, updatedAt: now, version: record.version + 1 };
  if (!ended) return marked;
  return {
    ...marked,
    series,
    streamId: ask.streamId ?? record.streamId,
    status: "RUNNING",
    phase: "awaiting-children",
    finishedAt: undefined,
    expiresAt: undefined,
    cancelRequested: false,
  };
}

export function dutiesDone(record: TaskRecord, series: number, done: readonly Duty[]): TaskRecord {
  if (record.series !== series || record.duties.length === 0) return record;
  const duties = record.duties.filter((duty) => !done.includes(duty));
  return duties.length === record.duties.length ? record : { ...record, duties, version: record.version + 1 };
}

/** Keys come from users: `__proto__` must be a key like any other. */
function setOwn<Value>(target: Record<string, Value>, key: string, value: Value): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Deep equality of JSON, whatever the order of the keys; a key with `undefined` is no key. */
export function jsonEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  const left = a as Record<string, JsonValue | undefined>;
  const right = b as Record<string, JsonValue | undefined>;
  const present = (object: typeof left) => Object.keys(object).filter((key) => object[key] !== undefined);
  const keys = present(left);
  return keys.length === present(right).length && keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]));
}
