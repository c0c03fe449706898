import type { Runtime } from "../app/runtime.ts";
import { messageOf } from "../errors.ts";
import { isTerminal, type TaskDraft, type TaskRecord } from "../lifecycle/record.ts";
import type { ScheduleRecord, ScheduleStore } from "../ports/schedule-store.ts";
import { streamIdOf } from "../run-stream/segments.ts";
import { newTraceparent } from "../wire/trace.ts";
import { derivedId } from "../workflow/derived-id.ts";
import { isIncurable } from "../workflow/send-record.ts";
import { change } from "./change.ts";
import type { Sends } from "./sends.ts";
import { advanced, fired } from "./steps.ts";
import { latestDue } from "./timing.ts";

/** While its task is there, a due time makes no other: so long at least after it has ended, for those that come late to what they read earlier. */
const MIN_RETENTION_MS = 3_600_000;

/**
 * Deals with a due time: puts its task into the store, moves the schedule on, then begins to send. The task's id derives from the due time, so whoever dies in between, and however
 * many do this at once, it is one task: made, it is found, and sent by the sweep if its maker did not; not made, the schedule is still due for the next to come. Nothing here
 * waits for the bus.
 * @returns when the schedule is due next, where it still runs.
 * @throws what the stores throw; it is due still, then.
 */
export async function fire(
  { runtime, store, sends }: { readonly runtime: Runtime; readonly store: ScheduleStore; readonly sends: Sends },
  schedule: ScheduleRecord,
  now: number,
): Promise<number | undefined> {
  const { name, definition, nextAt = now } = schedule;
  const due = latestDue(definition.timing, nextAt, now);
  const unnoted = await unnotedTask(runtime, schedule, due);
  const reason = unnoted === undefined ? await reasonToSkip(runtime, schedule, now - due) : "overlap";
  if (reason !== undefined)
    runtime.surroundings.logger.info("a schedule's due time was passed over", { schedule: name, due, reason });
  let seen: ScheduleRecord | undefined = schedule;
  if (reason === undefined && definition.overlap === "skip") {
    // Its maker may die before the task can be noted: it is looked for at the due time that the schedule stands at.
    seen = await change(store, schedule, (standing) => advanced(standing, schedule, due));
    if (seen?.nextAt !== due) return nextOf(seen);
  }
  const made: Made = reason === undefined ? await make(runtime, seen, due) : { taskId: unnoted };
  try {
    const firing = { seen, due: unnoted === undefined ? due : nextAt, taskId: made.taskId, now };
    return nextOf(await change(store, seen, (standing) => fired(standing, firing)));
  } finally {
    // Also where the schedule stayed where it was: whoever comes next finds the task, and does not send it.
    if (made.toSend !== undefined) sends.begin(made.toSend);
  }
}

function nextOf(schedule: ScheduleRecord | undefined): number | undefined {
  return schedule?.state === "running" ? schedule.nextAt : undefined;
}

/** The id of the task of an earlier due time, where its maker could not note it and it has not ended: who skips overlaps must see it. */
async function unnotedTask(runtime: Runtime, schedule: ScheduleRecord, due: number): Promise<string | undefined> {
  const { name, definition, nextAt } = schedule;
  if (definition.overlap === "allow" || nextAt === undefined || nextAt === due) return undefined;
  const task = await runtime.store.get(idOf(runtime, name, nextAt));
  return task === undefined || isTerminal(task.status) ? undefined : task.id;
}

async function reasonToSkip(runtime: Runtime, schedule: ScheduleRecord, lateMs: number): Promise<string | undefined> {
  const { definition, lastTaskId } = schedule;
  if (definition.missed === "skip" && lateMs > runtime.surroundings.settings.scheduleGraceMs) return "missed";
  if (definition.overlap === "allow" || lastTaskId === undefined) return undefined;
  const last = await runtime.store.get(lastTaskId);
  return last === undefined || isTerminal(last.status) ? undefined : "overlap";
}

/** What came of a due time: the id of its task, where there is one, and its record, where it is this process that sends it. */
interface Made {
  readonly taskId?: string;
  readonly toSend?: TaskRecord;
}

/** Puts the task into the store, unless that can never be done, which is no reason to try for ever. */
async function make(runtime: Runtime, schedule: ScheduleRecord, due: number): Promise<Made> {
  const { store, surroundings } = runtime;
  const draft = draftOf(runtime, schedule, due);
  const found = await store.get(draft.id);
  // Somebody else was faster, and sends it. To send it as well would send it twice. A withdrawn one was never sent: it is brought back.
  if (found !== undefined && !found.withdrawn) return { taskId: found.id };
  try {
    const created = await store.create(draft);
    const { record } = created;
    // In conflict: made for this due time by somebody who knew another definition.
    const isSent = created.kind === "conflict" || (created.kind === "existing" && !created.resend);
    if (isSent) return { taskId: record.id };
    return { taskId: record.id, toSend: record };
  } catch (error) {
    if (!isIncurable(error)) throw error;
    surroundings.logger.error("a schedule's task can never be submitted; this due time is passed over", {
      schedule: schedule.name,
      due,
      error: messageOf(error),
    });
    return {};
  }
}

function idOf({ surroundings }: Runtime, name: string, due: number): string {
  return derivedId(`schedule:${surroundings.namespace}:${name}:${new Date(due).toISOString()}`);
}

function draftOf(runtime: Runtime, { name, definition }: ScheduleRecord, due: number): TaskDraft {
  const { clock } = runtime.surroundings;
  const id = idOf(runtime, name, due);
  const { type, taskVersion, queue, retentionMs, input, userId } = definition;
  return {
    id,
    type,
    taskVersion,
    queue,
    input,
    userId,
    parentId: undefined,
    rootId: id,
    key: undefined,
    parentSeries: undefined,
    series: 1,
    streamId: streamIdOf(id, 1),
    createdAt: clock.now(),
    notBefore: undefined,
    deadlineAt: undefined,
    retentionMs: Math.max(retentionMs, MIN_RETENTION_MS),
    traceparent: newTraceparent(),
    correlationId: id,
    causationId: undefined,
  };
}
