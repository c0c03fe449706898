import type { Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import type { TaskErrorInfo, TaskRecord } from "../lifecycle/record.ts";
import { ACK, type Delivery, LEAVE, type Settlement } from "../ports/delivery.ts";
import type { Claim, ClaimOutcome, HeldLease } from "../ports/task-state-store.ts";
import { type CommandEnvelope, draftOf } from "../wire/envelope.ts";
import { comeBack, STORE_AWAY_DELAY_MS } from "./come-back.ts";
import { conclude, owedAtEnd } from "./duties.ts";

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
    return outcome.instead === undefined ? outcome : { settlement: await endInstead(runtime, outcome) };
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
    return await end(runtime, outcome, "DEAD_LETTER", {
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

/** A claim whose answer was lost may have been granted: then this process holds a lease that it does not know of. */
async function claimOnce(runtime: Runtime, claim: Claim): Promise<ClaimOutcome> {
  const { store, running } = runtime;
  try {
    return await store.claim(claim);
  } catch (error) {
    if (!isIntermodalError(error, "UNAVAILABLE") || !error.unknown) throw error;
    const outcome = await store.claim(claim);
    if (outcome.claimed || outcome.reason !== "running") return outcome;
    const { record } = outcome;
    if (record?.node !== claim.node || record.lease === undefined || running.has(claim.id)) return outcome;
    const { token, expiresAt } = record.lease;
    return { claimed: true, record, lease: { id: claim.id, token, expiresAt, leaseMs: claim.leaseMs } };
  }
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
    case "superseded":
    case "awaiting-children":
    case "not-cancelled":
      return ACK;
  }
}

/** It has ended; whoever ended it may have died before the rest was done. */
async function settleFinished(runtime: Runtime, envelope: CommandEnvelope, record: TaskRecord): Promise<Settlement> {
  if (record.duties.length > 0) await conclude(runtime, record);
  const failed =
    (record.status === "FAILED" || record.status === "DEAD_LETTER") && envelope.task?.send === record.sends;
  return failed ? { kind: "dead-letter", reason: `${record.status}: ${record.error?.message ?? "unknown"}` } : ACK;
}

function endInstead(runtime: Runtime, outcome: Granted): Promise<Settlement> {
  const { record, instead } = outcome;
  switch (instead) {
    case "cancelled":
      return end(runtime, outcome, "CANCELLED", {
        name: "IntermodalError",
        code: "CANCELLED",
        message: "cancelled before it ran",
      });
    case "expired":
      return end(runtime, outcome, "FAILED", {
        name: "IntermodalError",
        code: "EXPIRED",
        message: "it was not started before its time was over",
      });
    default: {
      const last = record.error ?? { name: "Error", message: "its worker died in every one" };
      const message = `all ${record.attempts} attempts used up; the last: ${last.message}`;
      return end(runtime, outcome, "DEAD_LETTER", { ...last, message });
    }
  }
}

async function end(
  runtime: Runtime,
  outcome: Granted,
  status: "CANCELLED" | "FAILED" | "DEAD_LETTER",
  error: TaskErrorInfo,
): Promise<Settlement> {
  const { id, token } = outcome.lease;
  const settled = await runtime.store.settle({ id, token, outcome: { kind: "failed", status, error }, resend: false });
  if (!settled.settled) return LEAVE;
  await conclude(runtime, settled.record);
  return status === "CANCELLED" ? ACK : { kind: "dead-letter", reason: `${status}: ${error.message}` };
}

function storeAway(runtime: Runtime, envelope: CommandEnvelope, error: unknown): Settlement {
  if (!isIntermodalError(error, "UNAVAILABLE") && !isIntermodalError(error, "CLOSED")) {
    // The store refuses it for good; trying again for ever would help nobody.
    return { kind: "dead-letter", reason: `the task could not be claimed: ${messageOf(error)}` };
  }
  runtime.surroundings.logger.warn("the task could not be claimed; its message comes back", {
    task: envelope.id,
    error: messageOf(error),
  });
  return comeBack(STORE_AWAY_DELAY_MS);
}
