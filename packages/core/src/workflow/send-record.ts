import type { TaskNotification } from "../app/notifications.ts";
import type { Runtime } from "../app/runtime.ts";
import { type ErrorCode, isIntermodalError, messageOf } from "../errors.ts";
import type { TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import { encodeTask, transportId } from "../wire/envelope.ts";

/** What is wrong with the task itself. Whatever else is refused, be it a changed password or a missing queue, somebody can mend. */
const INCURABLE: ReadonlySet<ErrorCode> = new Set([
  "PAYLOAD_TOO_LARGE",
  "NOT_SERIALIZABLE",
  "VALIDATION_FAILED",
  "INVALID_NAME",
]);

/** Whether a task can never be sent, so that to try for ever is of no use. */
export function isIncurable(error: unknown): boolean {
  return isIntermodalError(error) && INCURABLE.has(error.code);
}

/** Sends the message of the record's latest begun send. @throws as `CommandBus.send` does. */
export async function sendRecord(runtime: Runtime, record: TaskRecord): Promise<void> {
  const { clock, name } = runtime.surroundings;
  const waitMs = record.nextAttemptAt === undefined ? 0 : record.nextAttemptAt - clock.now();
  await runtime.send({
    queue: record.queue,
    id: transportId(record.id, record.series, record.sends),
    type: record.type,
    body: encodeTask(draftOfRecord(record), record.sends, name),
    // A delay the bus can't keep is cut: the claim finds that it is early and sends the message back for the rest.
    delayMs: waitMs > 0 ? Math.min(waitMs, runtime.ports.commandBus.capabilities.maxDelayMs) : undefined,
  });
  runtime.store.noteSent({ id: record.id, series: record.series, send: record.sends });
}

/**
 * Sends what the store keeps in custody: a failure that time or somebody can cure is left to the sweep.
 * @throws what nothing can cure, such as `PAYLOAD_TOO_LARGE`.
 */
export async function sendDeferred(runtime: Runtime, record: TaskRecord): Promise<void> {
  try {
    await sendRecord(runtime, record);
  } catch (error) {
    if (!isIntermodalError(error) || isIncurable(error)) throw error;
    runtime.surroundings.logger.warn("a task could not be sent now; the sweep will send it", {
      task: record.id,
      error: messageOf(error),
    });
  }
}

/** What a message carries of a record. */
function draftOfRecord(record: TaskRecord): TaskDraft {
  return {
    id: record.id,
    type: record.type,
    taskVersion: record.taskVersion,
    queue: record.queue,
    input: record.input,
    userId: record.userId,
    parentId: record.parentId,
    rootId: record.rootId,
    key: record.key,
    parentSeries: record.parentSeries,
    series: record.series,
    streamId: record.streamId,
    createdAt: record.createdAt,
    notBefore: record.nextAttemptAt,
    deadlineAt: record.deadlineAt,
    retentionMs: record.retentionMs,
    traceparent: record.traceparent,
    correlationId: record.correlationId,
    causationId: record.causationId,
  };
}

export function notificationOf(record: TaskRecord, timestamp: number): TaskNotification {
  return {
    taskId: record.id,
    type: record.type,
    queue: record.queue,
    runId: record.rootId,
    parentId: record.parentId,
    userId: record.userId,
    series: record.series,
    streamId: record.streamId,
    timestamp,
  };
}
