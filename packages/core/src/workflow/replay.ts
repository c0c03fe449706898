import type { Runtime } from "../app/runtime.ts";
import { type AnyTaskContract, parseWith } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import { streamIdOf } from "../run-stream/segments.ts";
import { toJson } from "../wire/json.ts";
import { performDuties } from "../worker/duties.ts";
import { dropTrackedDeadLetters } from "./dead-letter-copies.ts";
import { sendDeferred } from "./send-record.ts";

/**
 * Runs an ended task again under its next series.
 * @throws `NOT_FOUND`, `NOT_REPLAYABLE`, `VALIDATION_FAILED`.
 */
export async function replayTask(
  runtime: Runtime,
  id: string,
  changed?: { readonly contract: AnyTaskContract; readonly value: unknown },
): Promise<TaskRecord> {
  const { port } = runtime.store;
  let input: ReturnType<typeof toJson> | undefined;
  if (changed !== undefined) {
    const what = `input of task "${changed.contract.name}"`;
    await parseWith(changed.contract.input, changed.value, what);
    input = toJson(changed.value, what);
  }
  const record = await settledRecord(runtime, id);
  if (!isTerminal(record.status)) throw refused(record, `it is ${record.status}; wait for its end or cancel it first`);
  if (record.status === "COMPLETED" && input === undefined)
    throw refused(record, "it has completed; submit a new task, or replay it with a changed input");
  if (record.withdrawn) throw refused(record, "it was never sent; submit it again with the same id");

  const { parentSeries, streamId } = await reopenAncestors(runtime, record);
  if (record.parentId === undefined) await port.retain(record.rootId, undefined);
  const reopened = await port.reopen({ id, series: record.series, input, streamId, parentSeries });
  if (reopened === undefined) throw refused(record, "somebody else replays it at this moment");
  await sendDeferred(runtime, reopened);
  await dropTrackedDeadLetters(runtime, record);
  return reopened;
}

/**
 * Ancestors that ended with errors wait for the task again, from the top down, each marked before the one below it: a crash in between leaves a parent that waits
 * for an ended sub-task, which the sweep mends.
 */
async function reopenAncestors(
  runtime: Runtime,
  record: TaskRecord,
): Promise<{ parentSeries?: number; streamId: string }> {
  const { port } = runtime.store;
  const path = [record];
  for (let top = record; top.parentId !== undefined; ) {
    top = await settledRecord(runtime, top.parentId);
    const mendable = !isTerminal(top.status) || top.status === "COMPLETED_WITH_ERRORS";
    if (!mendable || top.phase === "closing")
      throw refused(
        record,
        `its parent ${top.id} is ${top.phase ?? top.status}; replay ${top.id}, which runs its failed sub-tasks again`,
      );
    path.push(top);
    if (!isTerminal(top.status)) break;
  }
  const highest = path[path.length - 1] as TaskRecord;
  const newSegment = highest.parentId === undefined && isTerminal(highest.status);
  const streamId = newSegment ? streamIdOf(highest.id, highest.series + 1) : highest.streamId;
  if (newSegment) await port.retain(highest.id, undefined);
  let parentSeries: number | undefined;
  for (let index = path.length - 1; index > 0; index--) {
    const parent = path[index] as TaskRecord;
    const child = path[index - 1] as TaskRecord;
    const reopened = await port.reopenChild({
      parentId: parent.id,
      key: child.key as string,
      childId: child.id,
      childSeries: child.series + 1,
      streamId: newSegment ? streamId : undefined,
    });
    if (reopened === undefined) throw refused(record, `its parent ${parent.id} changes at this moment; try again`);
    parentSeries = reopened.series;
  }
  return parentSeries === undefined ? { streamId } : { parentSeries, streamId };
}

/** The record, after what it still owed has been done: an ended record with open duties can't be reopened. */
async function settledRecord(runtime: Runtime, id: string): Promise<TaskRecord> {
  let record = await runtime.store.get(id);
  if (record !== undefined && isIndebted(record)) {
    // What was done a moment ago may not have been noted yet.
    await runtime.store.flush();
    record = await runtime.store.get(id);
  }
  if (record !== undefined && isIndebted(record)) {
    await performDuties(runtime, record);
    await runtime.store.flush();
    record = await runtime.store.get(id);
  }
  if (record === undefined) throw new IntermodalError("NOT_FOUND", `there is no task ${id}, or its record has expired`);
  return record;
}

function isIndebted(record: TaskRecord): boolean {
  return isTerminal(record.status) && record.duties.length > 0;
}

function refused(record: TaskRecord, why: string): IntermodalError {
  return new IntermodalError("NOT_REPLAYABLE", `task ${record.id} cannot be replayed: ${why}`);
}
