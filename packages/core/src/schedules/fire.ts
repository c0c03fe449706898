import type { Runtime } from "../app/runtime.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import { isTerminal, type TaskDraft } from "../lifecycle/record.ts";
import type { ScheduleRecord, ScheduleStore } from "../ports/schedule-store.ts";
import { newTraceparent } from "../wire/trace.ts";
import { derivedId } from "../workflow/derived-id.ts";
import { streamIdOf, submitDraft } from "../workflow/submit.ts";
import { change } from "./change.ts";
import { fired } from "./steps.ts";
import { latestDue } from "./timing.ts";

/**
 * Deals with a due time: submits its task, then moves the schedule on. The task's id derives from the due time, so whoever dies in between, and however many do this
 * at once, it is one task: submitted, it is found; not submitted, the schedule is still due for the next to come.
 * @returns when the schedule is due next, where it still runs.
 * @throws what the stores throw; it is due still, then.
 */
export async function fire(
  runtime: Runtime,
  store: ScheduleStore,
  schedule: ScheduleRecord,
  now: number,
): Promise<number | undefined> {
  const { name, definition, nextAt = now } = schedule;
  const due = latestDue(definition.timing, nextAt, now);
  const reason = await reasonToSkip(runtime, schedule, now - due);
  if (reason !== undefined)
    runtime.surroundings.logger.info("a schedule's due time was passed over", { schedule: name, due, reason });
  const taskId = reason === undefined ? await submit(runtime, schedule, due) : undefined;
  const current = await change(store, schedule, (standing) => fired(standing, { seen: schedule, due, taskId, now }));
  return current?.state === "running" ? current.nextAt : undefined;
}

async function reasonToSkip(runtime: Runtime, schedule: ScheduleRecord, lateMs: number): Promise<string | undefined> {
  const { definition, lastTaskId } = schedule;
  if (definition.missed === "skip" && lateMs > runtime.surroundings.settings.scheduleGraceMs) return "missed";
  if (definition.overlap === "allow" || lastTaskId === undefined) return undefined;
  const last = await runtime.store.get(lastTaskId);
  return last === undefined || isTerminal(last.status) ? undefined : "overlap";
}

/** @returns the task's id; `undefined` where it can never be submitted, which is no reason to try for ever. */
async function submit(runtime: Runtime, schedule: ScheduleRecord, due: number): Promise<string | undefined> {
  const draft = draftOf(runtime, schedule, due);
  // Found: somebody else was faster, and sends it. To submit it as well would send it twice.
  if ((await runtime.store.get(draft.id)) !== undefined) return draft.id;
  try {
    await submitDraft(runtime, draft, true);
  } catch (error) {
    // Of this due time, submitted by somebody who knew another definition.
    if (isIntermodalError(error, "CONFLICT")) return draft.id;
    if (isIntermodalError(error, "UNAVAILABLE") || isIntermodalError(error, "CLOSED")) throw error;
    runtime.surroundings.logger.error("a schedule's task cannot be submitted; this due time is passed over", {
      schedule: schedule.name,
      due,
      error: messageOf(error),
    });
    return undefined;
  }
  return draft.id;
}

function draftOf(runtime: Runtime, { name, definition }: ScheduleRecord, due: number): TaskDraft {
  const { namespace, clock } = runtime.surroundings;
  const id = derivedId(`schedule:${namespace}:${name}:${new Date(due).toISOString()}`);
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
    retentionMs,
    traceparent: newTraceparent(),
    correlationId: id,
    causationId: undefined,
  };
}
