import type { Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { parseWith } from "../contracts/index.ts";
import { IntermodalError, isIntermodalError } from "../errors.ts";
import type { TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import { streamIdOf } from "../run-stream/segments.ts";
import { newId } from "../wire/ids.ts";
import { toJson } from "../wire/json.ts";
import { checkId } from "../wire/names.ts";
import { childTraceparent, newTraceparent } from "../wire/trace.ts";
import { notificationOf, sendDeferred, sendRecord } from "./send-record.ts";

/** How one task is submitted. */
export interface SubmitOptions {
  /**
   * Makes submitting idempotent: the same id with an equal input is the same task.
   * @default a new unique id
   */
  readonly id?: string | undefined;
  /** Whose task it is, to list by. */
  readonly userId?: string | undefined;
  /**
   * Milliseconds before which it does not start.
   * @default 0
   */
  readonly delayMs?: number | undefined;
  /** Milliseconds after which it is FAILED with code `EXPIRED` if it has not been started. */
  readonly expiresMs?: number | undefined;
  /**
   * Keep the task when the broker cannot be reached, and send it when the broker is back. If the broker then refuses it for good, such as for its size, it ends as FAILED.
   * @default false
   */
  readonly defer?: boolean | undefined;
}

/** What the sender of a task passes on to it. */
export interface Causation {
  readonly traceparent?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
}

/**
 * Stores a root task and sends it.
 * @throws `VALIDATION_FAILED`, `NOT_SERIALIZABLE`, `CONFLICT`, and what store and bus throw; a task that could not be sent has been withdrawn by then.
 */
export async function submitTask(
  runtime: Runtime,
  contract: AnyTaskContract,
  input: unknown,
  options: SubmitOptions,
  causation: Causation,
): Promise<TaskRecord> {
  const draft = await draftTask(runtime, contract, input, options, causation);
  return await submitDraft(runtime, draft, options.defer ?? false);
}

/** Validates the input and makes the draft of a root task. */
export async function draftTask(
  runtime: Runtime,
  contract: AnyTaskContract,
  input: unknown,
  options: SubmitOptions,
  causation: Causation,
): Promise<TaskDraft> {
  const what = `input of task "${contract.name}"`;
  const checked = parseWith(contract.input, input, what);
  if (checked instanceof Promise) await checked;
  const id = options.id === undefined ? newId() : checkId("a task id", options.id);
  const now = runtime.surroundings.clock.now();
  return {
    id,
    type: contract.name,
    taskVersion: contract.version,
    queue: contract.queue,
    input: toJson(input, what),
    userId: options.userId === undefined ? undefined : checkId("a user id", options.userId),
    parentId: undefined,
    rootId: id,
    key: undefined,
    parentSeries: undefined,
    series: 1,
    streamId: streamIdOf(id, 1),
    createdAt: now,
    notBefore: checkDuration("delayMs", options.delayMs ?? 0) > 0 ? now + (options.delayMs ?? 0) : undefined,
    deadlineAt: options.expiresMs === undefined ? undefined : now + checkDuration("expiresMs", options.expiresMs),
    retentionMs: contract.retentionMs,
    traceparent: causation.traceparent === undefined ? newTraceparent() : childTraceparent(causation.traceparent),
    correlationId: causation.correlationId ?? id,
    causationId: causation.causationId,
  };
}

/** Stores a draft and sends it. @throws as {@link submitTask}. */
async function submitDraft(runtime: Runtime, draft: TaskDraft, defer: boolean): Promise<TaskRecord> {
  const { store } = runtime;
  const created = await store.create(draft);
  if (created.kind === "conflict") {
    throw new IntermodalError(
      "CONFLICT",
      `task ${draft.id} exists already with another type or input; choose another id`,
    );
  }
  const { record } = created;
  if (created.kind === "existing" && !created.resend) return record;
  try {
    if (defer) await sendDeferred(runtime, record);
    else await sendRecord(runtime, record);
  } catch (error) {
    if (await withdraw(runtime, record)) throw error;
    // A worker has it already, so it was sent; or another submit of the same id answers for it now.
    const current = await store.get(record.id);
    if (current === undefined || (current.status === "QUEUED" && current.startedAt === undefined)) throw error;
    return current;
  }
  if (created.kind !== "existing") announceSubmitted(runtime, record);
  return record;
}

/** Takes back what could not be sent. While the store is away too, or closed by now, the record stays for the sweep to send: the caller is told that this is not known. */
export async function withdraw(runtime: Runtime, record: TaskRecord): Promise<boolean> {
  try {
    const [withdrawn] = await runtime.store.port.withdraw([
      { id: record.id, series: record.series, send: record.sends },
    ]);
    return withdrawn ?? false;
  } catch (error) {
    if (!isIntermodalError(error, "UNAVAILABLE") && !isIntermodalError(error, "CLOSED")) throw error;
    throw new IntermodalError(
      error.code,
      `task ${record.id} could neither be sent nor taken back; submit it again with the same id`,
      {
        cause: error,
        unknown: true,
      },
    );
  }
}

export function announceSubmitted(runtime: Runtime, record: TaskRecord): void {
  runtime.surroundings.lifecycle.emit("submitted", notificationOf(record, record.createdAt));
}

function checkDuration(name: string, ms: number): number {
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new IntermodalError("VALIDATION_FAILED", `${name} must be a number of milliseconds, not ${String(ms)}`);
}
