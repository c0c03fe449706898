import type {
  Claim,
  ClaimOutcome,
  ClaimRefusal,
  Renewal,
  RenewOutcome,
  Reservation,
  ReserveOutcome,
} from "../ports/task-state-store.ts";
import { newRecord } from "./creating.ts";
import { isTerminal, type TaskLease, type TaskRecord } from "./record.ts";
import { childOf, type Step, touch, withChild } from "./step.ts";

/** Take-overs past this many no longer lengthen the lease. */
const MAX_LEASE_DOUBLINGS = 10;

export function claim(
  existing: TaskRecord | undefined,
  ask: Claim,
  now: number,
): Step<ClaimOutcome, TaskRecord | undefined> {
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
  if (record.lease !== undefined && record.lease.expiresAt > now) {
    return refuse(record, "running", record.lease.expiresAt - now);
  }
  if (ask.toCancel && !record.cancelRequested) return refuse(record, "not-cancelled");
  if (!record.cancelRequested && record.nextAttemptAt !== undefined && record.nextAttemptAt > now) {
    return refuse(record, "early", record.nextAttemptAt - now);
  }
  const instead = insteadOfRunning(record, ask, now);
  const claimed = touch(record, now);
  if (instead === undefined) {
    claimed.attempts++;
    if (record.startedAt !== undefined) claimed.retryCount++;
    claimed.startedAt ??= now;
    claimed.lastAttemptAt = now;
  }
  if (record.lease !== undefined) claimed.takeovers++;
  const leaseMs = ask.leaseMs * 2 ** Math.min(claimed.takeovers, MAX_LEASE_DOUBLINGS);
  const token = record.fence + 1;
  const expiresAt = now + leaseMs;
  claimed.status = "RUNNING";
  claimed.phase = undefined;
  // Whoever claims has a message in hand, whether or not its sender's note arrives: it must not be sent again as lost, nor withdrawn.
  claimed.sentAt ??= now;
  claimed.nextAttemptAt = undefined;
  claimed.node = ask.node;
  claimed.lease = { token, expiresAt, counted: instead === undefined };
  claimed.fence = token;
  claimed.owes = [...ask.owes];
  return {
    record: claimed,
    outcome: { claimed: true, record: claimed, lease: { id: record.id, token, expiresAt, leaseMs }, instead },
  };
}

function insteadOfRunning(
  record: TaskRecord,
  ask: Claim,
  now: number,
): "exhausted" | "cancelled" | "expired" | undefined {
  if (record.cancelRequested) return "cancelled";
  if (record.startedAt === undefined && record.deadlineAt !== undefined && record.deadlineAt < now) return "expired";
  return record.attempts >= ask.maxAttempts ? "exhausted" : undefined;
}

function refuse(record: TaskRecord, reason: ClaimRefusal, retryInMs?: number): Step<ClaimOutcome> {
  return { record, outcome: { claimed: false, reason, record, retryInMs } };
}

/** A token is good while it is the latest one and the attempt has not been settled, even after its lease ran out. */
export function holds(record: TaskRecord | undefined, token: number): record is TaskRecord {
  return record?.lease !== undefined && record.lease.token === token;
}

export function renew(
  record: TaskRecord | undefined,
  ask: Renewal,
  now: number,
): Step<RenewOutcome, TaskRecord | undefined> {
  if (!holds(record, ask.token)) return { record, outcome: { held: false } };
  const expiresAt = now + ask.leaseMs;
  const renewed = touch(record, now);
  renewed.lease = { ...(record.lease as TaskLease), expiresAt };
  if (ask.phase !== undefined) renewed.phase = ask.phase ?? undefined;
  if (ask.progress !== undefined) renewed.progress = ask.progress;
  return { record: renewed, outcome: { held: true, expiresAt, cancelRequested: record.cancelRequested } };
}

export function reserve(
  record: TaskRecord | undefined,
  ask: Reservation,
  now: number,
): Step<ReserveOutcome, TaskRecord | undefined> {
  if (!holds(record, ask.token)) return { record, outcome: { kind: "stale" } };
  const known = childOf(record, ask.key);
  if (known !== undefined) {
    return { record, outcome: { kind: "existing", childId: known.id, status: known.status } };
  }
  const reserved = touch(record, now);
  reserved.children = withChild(record.children, ask.key, { id: ask.childId, status: "QUEUED", series: 1 });
  return { record: reserved, outcome: { kind: "reserved" } };
}
