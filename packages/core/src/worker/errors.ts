import { DEFAULT_RETRY, type RetryPolicy } from "../contracts/retry.ts";
import { IntermodalError, isIntermodalError, messageOf, redact } from "../errors.ts";
import type { TaskErrorInfo, TaskRecord, TerminalStatus } from "../lifecycle/record.ts";

const MAX_STACK = 4_000;
const MAX_NAME = 200;
const MAX_MESSAGE = 10_000;

/** What `result()` and `ctx.call` reject with when a task ended in any other way than by completing. */
export class TaskFailedError extends IntermodalError {
  override readonly name: string = "TaskFailedError";
  readonly taskId: string;
  readonly taskType: string;
  readonly status: TerminalStatus;
  readonly attempts: number;
  /** The error as it was stored. */
  readonly error: TaskErrorInfo | undefined;

  constructor(record: TaskRecord) {
    super(
      "TASK_FAILED",
      `task ${record.id} (${record.type}) ended as ${record.status}${record.error ? `: ${record.error.message}` : ""}`,
      {
        cause: record.error && storedError(record.error),
      },
    );
    this.taskId = record.id;
    this.taskType = record.type;
    this.status = record.status as TerminalStatus;
    this.attempts = record.attempts;
    this.error = record.error;
  }
}

/** An error as it is stored: without credentials, its message and stack bounded. Cut last: half a URL would hide its credentials from the redaction. */
export function toErrorInfo(error: unknown): TaskErrorInfo {
  if (!(error instanceof Error)) return { name: "Error", message: messageOf(error).slice(0, MAX_MESSAGE) };
  return {
    name: textIn(error, "name", MAX_NAME) || "Error",
    message: textIn(error, "message", MAX_MESSAGE) ?? "",
    code: textIn(error, "code", MAX_NAME),
    stack: textIn(error, "stack", MAX_STACK),
  };
}

/** A class may have declared a field anew as anything, also as what throws. */
function textIn(error: Error, field: keyof TaskErrorInfo, maxLength: number): string | undefined {
  try {
    const value: unknown = Reflect.get(error, field);
    return typeof value === "string" ? redact(value).slice(0, maxLength) : undefined;
  } catch {
    return undefined;
  }
}

/** Of this package, whichever class: what a code of theirs means is known. */
const OURS = new Set(["IntermodalError", "BatchError", "TaskFailedError"]);

function storedError({ name, message, code, stack }: TaskErrorInfo): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  // As `isIntermodalError` knows them.
  return Object.assign(error, code !== undefined && { code }, OURS.has(name) && { unknown: false });
}

/** Errors of the SDK that trying again cannot cure, since code or input would have to change. */
const HOPELESS = new Set([
  "VALIDATION_FAILED",
  "NOT_SERIALIZABLE",
  "DUPLICATE_KEY",
  "PAYLOAD_TOO_LARGE",
  "CONFLICT",
  "INVALID_NAME",
  "NOT_SUPPORTED",
  "TASK_FAILED",
]);

/** Whether another attempt may help. A policy that throws has said nothing. */
export function isRetryable(error: unknown, policy: RetryPolicy): boolean {
  if (isNonRetryable(error)) return false;
  try {
    return policy.when?.(error) ?? true;
  } catch {
    return true;
  }
}

/** The delay before the next attempt: what the handler asked for, else what the policy says, if that is a time. */
export function retryDelayMs(error: unknown, policy: RetryPolicy, attempt: number): number {
  const asked = retryAfterMs(error);
  if (asked !== undefined) return asked;
  try {
    const delayMs = policy.backoff.delayMs(attempt, Math.random);
    if (isDelay(delayMs)) return delayMs;
  } catch {
    // As if there were no policy.
  }
  return DEFAULT_RETRY.backoff.delayMs(attempt, Math.random);
}

/** By name as well as by class, so that a second copy of the package in the host does not change the meaning. */
function isNonRetryable(error: unknown): boolean {
  if (error instanceof Error && error.name === "NonRetryableError") return true;
  return isIntermodalError(error) && HOPELESS.has(error.code);
}

function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== "RetryAfterError") return undefined;
  const { delayMs } = error as { delayMs?: unknown };
  return isDelay(delayMs) ? delayMs : undefined;
}

function isDelay(ms: unknown): ms is number {
  return typeof ms === "number" && Number.isFinite(ms) && ms >= 0;
}
