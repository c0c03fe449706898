import type { Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import type { TaskErrorInfo, TaskRecord } from "../lifecycle/record.ts";
import { ACK, type Delivery, LEAVE, type Settlement } from "../ports/delivery.ts";
import type { Claim, ClaimOutcome, HeldLease } from "../ports/task-state-store.ts";
import { type CommandEnvelope, draftOf } from "../wire/envelope.ts";
import { isIncurable } from "../workflow/send-record.ts";
import { comeBack, STORE_AWAY_DELAY_MS } from "./come-back.ts";
import { conclude, owedAtEnd, performDuties } from "./duties.ts";

/** A store that answers no claim in so many tries is left alone: the message comes back. */
const CLAIM_TRIES = 3;

type Granted = ClaimOutcome & { readonly claimed: true };
type Refused = ClaimOutcome & { readonly claimed: false };

/** A claim that is to be run, or what becomes of the message instead. */
export type Claimed = { readonly record: TaskRecord; readonly lease: HeldLease } | { readonly settlement: Settlement };

/** Claims the task of a message before anything else is done with it; a refusal says how the message is settled. */
export async function claimTask(
  runtime: Runtime,
  delivery: Delivery,
  envelope: CommandEnvelope,
  contract: AnyTaskContract,
): Promise<Claimed> {
  try {
    const outcome = await claimOnce(runtime, claimOf(runtime, envelope, contract.retry.maxAttempts));
    if (!outcome.claimed) return { settlement: await settleRefused(runtime, delivery, envelope, outcome) };
    return outcome.instead === undefined ? outcome : { settlement: await endInstead(runtime, envelope, outcome) };
  } catch (error) {
    return { settlement: storeAway(runtime, envelope, error) };
  }
}

/** Ends a task whose message nobody has understood for too long. */
export async function endUnknown(
  runtime: Runtime,
  delivery: Delivery,
  envelope: CommandEnvelope,
  reason: string,
): Promise<Settlement> {
  try {
    const outcome = await runtime.store.claim(claimOf(runtime, envelope, Number.MAX_SAFE_INTEGER));
    if (!outcome.claimed) return await settleRefused(runtime, delivery, envelope, outcome);
    return await end(runtime, envelope, outcome, "DEAD_LETTER", {
      name: "IntermodalError",
      code: "NOT_SUPPORTED",
      message: reason,
    });
  } catch (error) {
    return storeAway(runtime, envelope, error);
  }
}

function claimOf(runtime: Runtime, envelope: CommandEnvelope, maxAttempts: number): Claim {
  const { node, settings } = runtime.surroundings;
  const draft = draftOf(envelope);
  const owes = owedAtEnd(runtime, { type: envelope.type, parentId: draft?.parentId });
  return {
    id: envelope.id,
    series: draft?.series ?? 1,
    node,
    leaseMs: settings.taskLeaseMs,
    maxAttempts,
    owes,
    draft,
  };
}

/** A claim whose answer was lost may have been granted: then this process holds a lease that it does not know of, and another claim would count twice. */
async function claimOnce(runtime: Runtime, claim: Claim, tries = CLAIM_TRIES): Promise<ClaimOutcome> {
  const { store, unanswered } = runtime;
  if (unanswered.has(claim.id)) return { claimed: false, reason: "running", retryInMs: STORE_AWAY_DELAY_MS };
  try {
    return await store.claim(claim);
  } catch (error) {
    if (!isIntermodalError(error, "UNAVAILABLE") || !error.unknown) throw error;
    // Another message of the task was claimed beside it, and is finding out already: one lease is for one attempt.
    if (unanswered.has(claim.id)) throw error;
    unanswered.add(claim.id);
    try {
      const adopted = await adoptLease(runtime, claim);
      if (adopted !== undefined) return adopted;
    } finally {
      unanswered.delete(claim.id);
    }
    if (tries === 1) throw error;
  }
  return claimOnce(runtime, claim, tries - 1);
}

/** Waits for the store, and takes up the lease that the lost answer told of, if there is one: an expired one is still good while nobody has taken it. */
async function adoptLease(runtime: Runtime, claim: Claim): Promise<Granted | undefined> {
  const { store } = runtime;
  const { id, node } = claim;
  const record = await store.persist(() => store.get(id));
  if (record?.lease === undefined || record.node !== node || record.series !== claim.series || runtime.runs(id)) {
    return undefined;
  }
  const { token, expiresAt, counted } = record.lease;
  const leaseMs = Math.max(claim.leaseMs, expiresAt - record.updatedAt);
  const renewed = await store.persist(() => store.renew({ id, token, leaseMs }));
  if (!renewed.held) return undefined;
  const lease = { id, token, leaseMs, expiresAt: renewed.expiresAt };
  return { claimed: true, record, lease, instead: counted ? undefined : insteadOfRunning(record) };
}

/** Why a claim of this record did not count. */
function insteadOfRunning(record: TaskRecord): Granted["instead"] {
  if (record.cancelRequested) return "cancelled";
  return record.startedAt === undefined ? "expired" : "exhausted";
}

async function settleRefused(
  runtime: Runtime,
  delivery: Delivery,
  envelope: CommandEnvelope,
  outcome: Refused,
): Promise<Settlement> {
  const { clock, settings } = runtime.surroundings;
  switch (outcome.reason) {
    case "running":
    case "early":
      return comeBack(outcome.retryInMs ?? STORE_AWAY_DELAY_MS);
    case "finished":
      return settleFinished(runtime, envelope, outcome.record as TaskRecord);
    case "behind":
      if (clock.now() - delivery.sentAt < settings.unknownTypeMaxAgeMs) return comeBack(settings.unknownTypeDelayMs);
      return { kind: "dead-letter", reason: "the message is of a later series than the task state store knows" };
    case "not-found":
      return {
        kind: "dead-letter",
        reason: "the task's record has expired; the message is older than its retention",
      };
    case "awaiting-children":
      return settlementOf(outcome.record as TaskRecord, envelope.task?.send);
    case "superseded":
    case "not-cancelled":
      return ACK;
  }
}

/** It has ended; whoever ended it may have died before the rest was done. */
async function settleFinished(runtime: Runtime, envelope: CommandEnvelope, record: TaskRecord): Promise<Settlement> {
  if (record.duties.length > 0) await performDuties(runtime, record);
  return settlementOf(record, envelope.task?.send);
}

/** What becomes of the message of a task whose handler is through. Of several sendings only that is put aside in whose hands it ended, so that there is one dead letter. */
export function settlementOf(record: TaskRecord, send: number | undefined): Settlement {
  const status = record.closesAs ?? record.status;
  const failed = (status === "FAILED" || status === "DEAD_LETTER") && send === record.sends;
  const reason = `${status}: ${record.error?.message ?? "unknown"}`;
  return failed ? { kind: "dead-letter", reason, attempts: record.attempts } : ACK;
}

function endInstead(runtime: Runtime, envelope: CommandEnvelope, outcome: Granted): Promise<Settlement> {
  const { record, instead } = outcome;
  switch (instead) {
    case "cancelled":
      return end(runtime, envelope, outcome, "CANCELLED", {
        name: "IntermodalError",
        code: "CANCELLED",
        message: "cancelled before it ran",
      });
    case "expired":
      return end(runtime, envelope, outcome, "FAILED", {
        name: "IntermodalError",
        code: "EXPIRED",
        message: "it was not started before its time was over",
      });
    default: {
      const last = record.error ?? { name: "Error", message: "its worker died in every one" };
      const message = `all ${record.attempts} attempts used up; the last: ${last.message}`;
      return end(runtime, envelope, outcome, "DEAD_LETTER", { ...last, message });
    }
  }
}

async function end(
  runtime: Runtime,
  envelope: CommandEnvelope,
  outcome: Granted,
  status: "CANCELLED" | "FAILED" | "DEAD_LETTER",
  error: TaskErrorInfo,
): Promise<Settlement> {
  const { id, token } = outcome.lease;
  const send = envelope.task?.send;
  const failed = { kind: "failed", status, error } as const;
  const settled = await runtime.store.settle({ id, token, outcome: failed, resend: false, send });
  if (!settled.settled) return LEAVE;
  await conclude(runtime, settled.record);
  return settlementOf(settled.record, send);
}

function storeAway(runtime: Runtime, envelope: CommandEnvelope, error: unknown): Settlement {
  // It is the message that is at fault; trying again for ever would help nobody.
  if (isIncurable(error)) return { kind: "dead-letter", reason: `the task could not be claimed: ${messageOf(error)}` };
  runtime.surroundings.logger.warn("the task could not be claimed; its message comes back", {
    task: envelope.id,
    error: messageOf(error),
  });
  return comeBack(STORE_AWAY_DELAY_MS);
}
