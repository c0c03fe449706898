import type { Runtime } from "../app/runtime.ts";
import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import { conclude, owedAtEnd, performDuties } from "./duties.ts";

/**
 * Asks a task and everything below it to stop, the root first, so that whoever finds the request later can finish what this began. Ends what nobody
 * holds; the holder ends the rest.
 * @returns the record after the request; `undefined` when there is none.
 */
export async function requestCancel(runtime: Runtime, id: string): Promise<TaskRecord | undefined> {
  const [record] = await runtime.store.port.requestCancel([id]);
  if (record === undefined || isTerminal(record.status)) return record;
  runtime.running.get(id)?.cancel();
  const current = await cancelUnheld(runtime, record);
  // A closing task has cancelling its sub-tasks among its duties.
  if (current.phase !== "closing") await cancelChildren(runtime, current);
  return current;
}

/** Asks every open sub-task to stop. One that was reserved but never made is made as cancelled, so that it can't be made later. */
export async function cancelChildren(runtime: Runtime, parent: TaskRecord): Promise<void> {
  for (const [key, child] of Object.entries(parent.children)) {
    if (isTerminal(child.status)) continue;
    const record = (await requestCancel(runtime, child.id)) ?? (await buryUnmade(runtime, parent, key, child.id));
    // It ended without its parent hearing of it.
    if (isTerminal(record.status) && record.duties.length > 0) await conclude(runtime, record);
  }
}

/** Ends a task that is to be cancelled and that nobody holds. @returns the record as it is now. */
export async function cancelUnheld(runtime: Runtime, record: TaskRecord): Promise<TaskRecord> {
  if (record.phase === "closing") {
    await performDuties(runtime, record);
    return record;
  }
  const { node, settings } = runtime.surroundings;
  const { id, series } = record;
  const owes = owedAtEnd(runtime, record);
  const claim = await runtime.store.claim({
    id,
    series,
    node,
    leaseMs: settings.taskLeaseMs,
    maxAttempts: 1,
    owes,
    toCancel: true,
  });
  if (!claim.claimed) return claim.record ?? record;
  const settled = await runtime.store.settle({
    id,
    token: claim.lease.token,
    outcome: {
      kind: "failed",
      status: "CANCELLED",
      error: { name: "IntermodalError", code: "CANCELLED", message: "cancelled before it ran" },
    },
    resend: false,
  });
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
