import type { Runtime } from "../app/runtime.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import { type Duty, isTerminal, type TaskRecord, type TerminalStatus } from "../lifecycle/record.ts";
import { sleep } from "../ports/clock.ts";
import type { Claim, SettleOutcomeKind } from "../ports/task-state-store.ts";
import type { FlushOutcome } from "../run-stream/stream-queue.ts";
import { notificationOf } from "../workflow/send-record.ts";
import { bridges, publishNotification } from "./bridge.ts";
import { toErrorInfo } from "./errors.ts";

/** A server that is back within these waits spares the sweep. */
const RETRY_DELAYS_MS = [100, 400, 1_500];
/** A server that lets callers wait for longer than this is not tried again. */
const PATIENCE_MS = 2_500;
/** Of so many runs at most it is remembered that their streams have yet to be ended; those of others end by the sweep. */
const MOST_UNENDED = 10_000;

/** What a task of this record owes when it ends. */
export function owedAtEnd(
  runtime: Runtime,
  record: { readonly parentId?: string | undefined; readonly type: string },
): readonly Duty[] {
  const announce = bridges(runtime, record.type, "completed") || bridges(runtime, record.type, "failed");
  const ends = record.parentId === undefined ? ROOT_DUTIES : CHILD_DUTIES;
  return announce ? [...ends, "announce"] : ends;
}

const ROOT_DUTIES: readonly Duty[] = ["end-stream", "retain"];
const CHILD_DUTIES: readonly Duty[] = ["tell-parent"];

/**
 * For whoever has just ended a task, or closed it: tells this process how it ended, and does what it owes. What can't be done now stays recorded for the sweep,
 * which does it without telling again.
 */
export async function conclude(runtime: Runtime, record: TaskRecord): Promise<void> {
  if (isTerminal(record.status)) tellEnd(runtime, record);
  if (record.duties.length > 0) await performDuties(runtime, record);
}

function tellEnd(runtime: Runtime, record: TaskRecord): void {
  const { lifecycle, clock } = runtime.surroundings;
  const notification = notificationOf(record, record.finishedAt ?? clock.now());
  const status = record.status as TerminalStatus;
  if (status === "COMPLETED" || status === "COMPLETED_WITH_ERRORS")
    lifecycle.emit("completed", { ...notification, status });
  else lifecycle.emit("failed", { ...notification, status, error: record.error });
  runtime.store.waiter.hint([record.id]);
}

/** Each duty can be done twice without harm: whoever finds it recorded does it. @returns whether all were done. */
export async function performDuties(runtime: Runtime, record: TaskRecord): Promise<boolean> {
  const done: Duty[] = [];
  for (const duty of record.duties) {
    if (duty !== "retain" && (await perform(runtime, record, duty))) done.push(duty);
  }
  // Last, and only then: the run must not go before what it owes is done.
  const isLast = done.length === record.duties.length - 1;
  if (isLast && record.duties.includes("retain") && (await perform(runtime, record, "retain"))) done.push("retain");
  if (done.length > 0) runtime.store.noteDone(record, done);
  const isLeft = record.duties.includes("end-stream") && !done.includes("end-stream");
  if (!isLeft) runtime.unended.delete(record.id);
  else if (runtime.unended.size < MOST_UNENDED) runtime.unended.set(record.id, record);
  return done.length === record.duties.length;
}

/** Ends the streams that were left, as their store is back: by the sweep they would look unfinished for its grace. */
export async function endLeftStreams(runtime: Runtime): Promise<void> {
  const records = [...runtime.unended.values()];
  runtime.unended.clear();
  runtime.hindered.delete("end-stream");
  await Promise.all(records.map((record) => performDuties(runtime, record)));
}

async function perform(runtime: Runtime, record: TaskRecord, duty: Duty): Promise<boolean> {
  const { clock, logger } = runtime.surroundings;
  const { hindered } = runtime;
  if (duty === "end-stream" && !(await isWritten(runtime, record))) return false;
  if (!hindered.mayTry(duty)) return false;
  const begun = clock.now();
  for (let attempt = 0; ; attempt++) {
    const triedAt = clock.now();
    try {
      const done = await DUTIES[duty](runtime, record);
      hindered.delete(duty);
      return done;
    } catch (error) {
      const away = isIntermodalError(error, "UNAVAILABLE");
      // One task has waited in vain: an outage must not slow down each of the next ones too.
      const wait = away && !hindered.has(duty) ? RETRY_DELAYS_MS[attempt] : undefined;
      if (wait === undefined || clock.now() - begun > PATIENCE_MS) {
        let isKnown = false;
        if (away) isKnown = !hindered.add(duty, triedAt);
        else hindered.delete(duty);
        // An outage is told once, not once per task.
        logger[isKnown ? "debug" : "warn"](`duty "${duty}" could not be done now; the sweep will do it`, {
          task: record.id,
          error: messageOf(error),
        });
        return false;
      }
      await sleep(clock, wait);
    }
  }
}

/** Waits, bounded, until the run's stream has what this process wrote. */
export async function flushStream(runtime: Runtime, streamId: string): Promise<FlushOutcome> {
  const { writer, surroundings } = runtime;
  return (await writer?.flush(streamId, { timeoutMs: surroundings.settings.streamFlushTimeoutMs })) ?? "stored";
}

/**
 * Waits, bounded, for what this process wrote to the run's stream. @returns whether it may be ended: events that wait for their store would be refused after the end.
 * That says nothing about the store of other streams, of which a part may be away.
 */
async function isWritten(runtime: Runtime, record: TaskRecord): Promise<boolean> {
  if ((await flushStream(runtime, record.streamId)) !== "waiting") return true;
  runtime.surroundings.logger.debug("events of a run wait for their store: the sweep ends it when they are stored", {
    task: record.id,
  });
  return false;
}

/** @returns whether it is done; false leaves it to another app. */
const DUTIES: Record<Duty, (runtime: Runtime, record: TaskRecord) => Promise<boolean>> = {
  async "tell-parent"(runtime, record) {
    if (record.parentId === undefined || record.key === undefined) return true;
    const parent = await runtime.store.childEnded({
      parentId: record.parentId,
      key: record.key,
      childId: record.id,
      status: record.status as TerminalStatus,
      series: record.series,
    });
    // This may have been the last one: then the parent has ended in the same step, and its duties are ours.
    if (parent !== undefined && isTerminal(parent.status) && parent.duties.length > 0) await conclude(runtime, parent);
    return true;
  },

  async "end-stream"(runtime, record) {
    if (runtime.ports.eventStream === undefined) return true;
    const { clock, settings } = runtime.surroundings;
    const succeeded = record.status === "COMPLETED" || record.status === "COMPLETED_WITH_ERRORS";
    const event = {
      writer: "lifecycle",
      n: 1,
      timestamp: record.finishedAt ?? clock.now(),
      source: record.id,
      event: succeeded ? "lifecycle.completed" : "lifecycle.failed",
      data: succeeded ? { status: record.status } : { status: record.status, error: record.error?.message ?? null },
    };
    // Without the record nobody finds the stream.
    const ttlMs = Math.min(settings.streamTtlMs, record.retentionMs);
    await runtime.finishStream({ streamId: record.streamId, ttlMs, event });
    return true;
  },

  async announce(runtime, record) {
    const succeeded = record.status === "COMPLETED" || record.status === "COMPLETED_WITH_ERRORS";
    const name = succeeded ? "completed" : "failed";
    // An app without the bridge leaves the announcement to one that has it.
    if (runtime.surroundings.bridge === undefined) return false;
    if (!bridges(runtime, record.type, name)) return true;
    const notification = notificationOf(record, record.finishedAt ?? runtime.surroundings.clock.now());
    await publishNotification(runtime, name, {
      ...notification,
      status: record.status as TerminalStatus,
      error: record.error,
    });
    return true;
  },

  async retain(runtime, record) {
    await runtime.store.port.retain(
      record.rootId,
      (record.finishedAt ?? runtime.surroundings.clock.now()) + record.retentionMs,
    );
    return true;
  },

  async "cancel-children"(runtime, record) {
    await cancelChildren(runtime, record);
    return true;
  },
};

/**
 * Asks a task and everything below it to stop, the root first, so that whoever finds the request later can finish what this began. Ends what nobody
 * holds; the holder ends the rest.
 * @returns the record after the request; `undefined` when there is none.
 */
export async function requestCancel(runtime: Runtime, id: string): Promise<TaskRecord | undefined> {
  const [record] = await runtime.store.port.requestCancel([id]);
  if (record === undefined || isTerminal(record.status)) return record;
  runtime.cancelHere(id);
  const current = await cancelUnheld(runtime, record);
  // A closing task has cancelling its sub-tasks among its duties.
  if (current.phase !== "closing") await cancelChildren(runtime, current);
  return current;
}

/** Asks every open sub-task to stop. One that was reserved but never made is made as cancelled, so that it can't be made later. */
async function cancelChildren(runtime: Runtime, parent: TaskRecord): Promise<void> {
  for (const [key, child] of Object.entries(parent.children)) {
    if (isTerminal(child.status)) continue;
    const record = (await requestCancel(runtime, child.id)) ?? (await buryUnmade(runtime, parent, key, child.id));
    // It ended without its parent hearing of it.
    if (isTerminal(record.status) && record.duties.length > 0) await performDuties(runtime, record);
  }
}

/** Ends a task that is to be cancelled and that nobody holds. @returns the record as it is now. */
export async function cancelUnheld(runtime: Runtime, record: TaskRecord): Promise<TaskRecord> {
  if (record.phase === "closing") {
    await performDuties(runtime, record);
    return record;
  }
  const error = { name: "IntermodalError", code: "CANCELLED", message: "cancelled before it ran" };
  return endUnheld(runtime, record, { status: "CANCELLED", error }, { maxAttempts: 1, toCancel: true });
}

/** Ends a task whose message can never be sent, since to try again is of no use. */
export async function endUnsendable(runtime: Runtime, record: TaskRecord, error: unknown): Promise<void> {
  // No attempt is left to be counted.
  await endUnheld(runtime, record, { status: "FAILED", error: toErrorInfo(error) }, { maxAttempts: 0 });
}

/** Ends a task that nobody holds. @returns the record as it is now. */
async function endUnheld(
  runtime: Runtime,
  record: TaskRecord,
  end: Pick<SettleOutcomeKind & { readonly kind: "failed" }, "status" | "error">,
  how: Pick<Claim, "maxAttempts" | "toCancel">,
): Promise<TaskRecord> {
  const { node, settings } = runtime.surroundings;
  const { id, series } = record;
  const owes = owedAtEnd(runtime, record);
  const claim = await runtime.store.claim({ id, series, node, leaseMs: settings.taskLeaseMs, owes, ...how });
  if (!claim.claimed) return claim.record ?? record;
  const outcome = { kind: "failed", ...end } as const;
  const settled = await runtime.store.settle({ id, token: claim.lease.token, outcome, resend: false });
  if (!settled.settled) return claim.record;
  await conclude(runtime, settled.record);
  return settled.record;
}

export async function buryUnmade(
  runtime: Runtime,
  parent: TaskRecord,
  key: string,
  childId: string,
): Promise<TaskRecord> {
  const created = await runtime.store.create({
    id: childId,
    // Nobody knows any more what it would have been.
    type: "unmade",
    taskVersion: "1.0",
    queue: parent.queue,
    input: null,
    parentId: parent.id,
    rootId: parent.rootId,
    key,
    parentSeries: parent.series,
    series: 1,
    streamId: parent.streamId,
    createdAt: runtime.surroundings.clock.now(),
    retentionMs: parent.retentionMs,
    tombstone: true,
  });
  return created.record;
}
