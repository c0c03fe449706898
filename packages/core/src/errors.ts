/**
 * Every error this SDK raises is an {@link IntermodalError} with a `code`. Each code has a heading in `docs/errors.md` with cause and cure.
 */
export type ErrorCode =
  | "ADAPTER_INCOMPATIBLE"
  | "ADAPTER_NOT_INSTALLED"
  | "ALREADY_REGISTERED"
  | "CANCELLED"
  | "CLOSED"
  | "CONFIG_INVALID"
  | "CONFLICT"
  | "CURSOR_INVALID"
  | "DECODE_FAILED"
  | "DUPLICATE_KEY"
  | "EXPIRED"
  | "FORBIDDEN"
  | "INVALID_NAME"
  | "LEASE_LOST"
  | "NOT_FOUND"
  | "NOT_REPLAYABLE"
  | "NOT_SERIALIZABLE"
  | "NOT_SUPPORTED"
  | "PAYLOAD_TOO_LARGE"
  | "PORT_MISSING"
  | "SHUTDOWN"
  | "STREAM_ENDED"
  | "TASK_FAILED"
  | "TIMEOUT"
  | "UNAVAILABLE"
  | "UNKNOWN_SCHEME"
  | "UNROUTABLE"
  | "VALIDATION_FAILED";

export interface IntermodalErrorOptions {
  /** What went wrong underneath. */
  readonly cause?: unknown;
  /**
   * The answer was lost: the effect may or may not have happened. Repeating the operation with the same id is safe.
   * @default false
   */
  readonly unknown?: boolean;
}

/** Base class of every error of the SDK. Test with {@link isIntermodalError}, which also works across duplicate copies of the package. */
export class IntermodalError extends Error {
  override readonly name: string = "IntermodalError";
  readonly code: ErrorCode;
  /** True when the answer was lost and the effect may have happened. */
  readonly unknown: boolean;

  constructor(code: ErrorCode, message: string, options: IntermodalErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: redactCause(options.cause) });
    this.code = code;
    this.unknown = options.unknown ?? false;
  }
}

/** Structural guard: true for any error of the SDK, optionally of one code, whichever copy of the package made it. */
export function isIntermodalError(error: unknown, code?: ErrorCode): error is IntermodalError {
  if (typeof error !== "object" || error === null) return false;
  const candidate = error as { code?: unknown; unknown?: unknown; message?: unknown };
  const shaped =
    typeof candidate.code === "string" &&
    typeof candidate.unknown === "boolean" &&
    typeof candidate.message === "string";
  return shaped && (code === undefined || candidate.code === code);
}

/**
 * A batch in which some items failed. `failures` stands in the order of the batch; an item that succeeded is `undefined` there.
 * A batch that failed as a whole rejects with a plain {@link IntermodalError} instead.
 */
export class BatchError extends IntermodalError {
  override readonly name: string = "BatchError";
  readonly failures: readonly (IntermodalError | undefined)[];
  /** What came of the items that succeeded, in the order of the batch; empty where they have no answer. */
  readonly results: readonly unknown[];

  constructor(failures: readonly (IntermodalError | undefined)[], results: readonly unknown[] = []) {
    const failed = failures.filter((failure) => failure !== undefined);
    const first = failed[0];
    super(
      first?.code ?? "UNAVAILABLE",
      `${failed.length} of ${failures.length} failed; the first: ${first?.message ?? "unknown"}`,
      {
        cause: first,
        unknown: failed.some((failure) => failure.unknown),
      },
    );
    this.failures = failures;
    this.results = results;
  }
}

/** Thrown by a handler to say that trying again cannot help: the task ends as FAILED at once. */
export class NonRetryableError extends Error {
  override readonly name: string = "NonRetryableError";
}

/** Thrown by a handler to choose the delay before the next attempt. The attempt counts as any other. */
export class RetryAfterError extends Error {
  override readonly name: string = "RetryAfterError";
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;

  constructor(delayMs: number, message = `asked to be retried in ${delayMs} ms`, options?: ErrorOptions) {
    super(message, options);
    this.delayMs = delayMs;
  }
}

// The bound keeps a long text without a URL from being scanned again from each of its letters.
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#]*@/gi;
const QUERY_SECRETS =
  /([?&](?:[\w.-]{0,40}(?:pass|token|secret|key|cred|jwt|mechanismproperties)[\w.-]{0,40}|user|username)=)[^&\s"']*/gi;

/** Removes credentials from every URL in a text. */
export function redact(text: string): string {
  return text.replace(URL_CREDENTIALS, "$1***@").replace(QUERY_SECRETS, "$1***");
}

const MAX_CAUSES = 10;

/** The same error where it holds no credentials; else a copy without them, down its chain of causes. */
function redactCause(cause: unknown, depth = 0): unknown {
  if (typeof cause === "string") return redact(cause);
  if (!(cause instanceof Error) || depth > MAX_CAUSES) return cause;
  const { message, stack, cause: below } = cause;
  const clean = { message: redact(message), stack: stack && redact(stack), below: redactCause(below, depth + 1) };
  if (clean.message === message && clean.stack === stack && clean.below === below) return cause;
  const copy = new Error(clean.message, clean.below === undefined ? undefined : { cause: clean.below });
  copy.name = cause.name;
  if (clean.stack !== undefined) copy.stack = clean.stack;
  const { code } = cause as { code?: unknown };
  return code === undefined ? copy : Object.assign(copy, { code });
}

/** The message of anything that was thrown, without credentials. */
export function messageOf(error: unknown): string {
  try {
    return redact(String(error instanceof Error ? error.message : error));
  } catch {
    // What can't be made a text, such as an object without a prototype.
    return "an error that says nothing";
  }
}
