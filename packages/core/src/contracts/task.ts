import { IntermodalError } from "../errors.ts";
import type { RateLimit } from "../ports/rate-limiter.ts";
import { checkName } from "../wire/names.ts";
import { checkDuration } from "./check.ts";
import type { JsonInput, JsonOutput } from "./json.ts";
import { type RetryOptions, type RetryPolicy, retryPolicy } from "./retry.ts";
import { checkSchema, type Schema, type SchemaInput, type SchemaOutput } from "./schema.ts";
import { checkVersion } from "./version.ts";

/** How long the records of a finished run are kept where a contract says nothing: 7 days. */
export const DEFAULT_RETENTION_MS = 604_800_000;

/** How often attempts of a task may start, over all processes that share the limiter. */
export interface TaskRateLimit extends RateLimit {
  /**
   * Tasks with the same key share the permits.
   * @default the task's name
   */
  readonly key?: string | undefined;
}

/** What a task's contract says. */
export interface TaskOptions<In extends Schema, Out extends Schema | undefined = undefined> {
  /** Of the parameters. Its input type is sent, so it must survive JSON. */
  readonly input: JsonInput<In>;
  /** Of the result. Its input type is stored, so it must survive JSON. Absent: the task has no result. */
  readonly output?: JsonOutput<Out> | undefined;
  /**
   * `major.minor`. A worker takes all minors of its major.
   * @default "1.0"
   */
  readonly version?: string | undefined;
  /**
   * What workers share.
   * @default "default"
   */
  readonly queue?: string | undefined;
  /** @default 5 attempts, `exponential()` */
  readonly retry?: RetryOptions | undefined;
  /** Milliseconds after which an attempt's signal aborts; absent: never. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long the records of a finished run are kept, in milliseconds.
   * @default 604,800,000 (7 days)
   */
  readonly retentionMs?: number | undefined;
  /** How often attempts may start; absent: no limit. What has to wait is not counted as an attempt. */
  readonly rateLimit?: TaskRateLimit | undefined;
}

/** A command whose execution is tracked, as its sender and its worker share it. */
export interface TaskContract<In extends Schema = Schema, Out extends Schema | undefined = Schema | undefined> {
  readonly kind: "task";
  readonly name: string;
  readonly version: string;
  readonly queue: string;
  readonly input: In;
  readonly output: Out;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | undefined;
  readonly retentionMs: number;
  readonly rateLimit: TaskRateLimit | undefined;
}

/** The contract of some task. */
export type AnyTaskContract = TaskContract;

/** What `submit` takes. */
export type TaskInput<C extends AnyTaskContract> = SchemaInput<C["input"]>;
/** What the handler gets. */
export type TaskParams<C extends AnyTaskContract> = SchemaOutput<C["input"]>;
/** What the handler returns: nothing where the contract has no output. */
export type TaskReturn<C extends AnyTaskContract> = [C["output"]] extends [undefined]
  ? // biome-ignore lint/suspicious/noConfusingVoidType: the type a handler returns
    void
  : SchemaInput<NonNullable<C["output"]>>;
/** What `result()` gives: `undefined` where the contract has no output. */
export type TaskResult<C extends AnyTaskContract> = [C["output"]] extends [undefined]
  ? undefined
  : SchemaOutput<NonNullable<C["output"]>>;

/**
 * Says what a task is called, takes and gives. All types flow from here.
 * @throws `INVALID_NAME`, `CONFIG_INVALID`.
 */
export function defineTask<In extends Schema, Out extends Schema | undefined = undefined>(
  name: string,
  options: TaskOptions<In, Out>,
): TaskContract<In, Out> {
  checkName("the task name", name);
  const what = `task "${name}"`;
  const { input, output, version = "1.0", queue = "default", retentionMs = DEFAULT_RETENTION_MS } = options;
  checkSchema(`the input of ${what}`, input);
  if (output !== undefined) checkSchema(`the output of ${what}`, output);
  checkDuration(`timeoutMs of ${what}`, options.timeoutMs);
  checkDuration(`retentionMs of ${what}`, retentionMs);
  if (options.rateLimit !== undefined) checkRateLimit(what, options.rateLimit);
  return {
    kind: "task",
    name,
    version: checkVersion(what, version),
    queue: checkName(`the queue of ${what}`, queue),
    input: input as In,
    output: output as Out,
    retry: retryPolicy(options.retry),
    timeoutMs: options.timeoutMs,
    retentionMs,
    rateLimit: options.rateLimit,
  };
}

function checkRateLimit(what: string, limit: TaskRateLimit): void {
  // Only untyped code can leave it out.
  if (limit.perMs === undefined) {
    throw new IntermodalError("CONFIG_INVALID", `rateLimit of ${what} needs both permits and perMs`);
  }
  checkDuration(`rateLimit.perMs of ${what}`, limit.perMs);
  if (Number.isInteger(limit.permits) && limit.permits > 0) return;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `rateLimit.permits of ${what} must be a whole number from 1, not ${String(limit.permits)}`,
  );
}
