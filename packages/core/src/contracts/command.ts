import { checkName } from "../wire/names.ts";
import { checkDuration } from "./check.ts";
import type { JsonInput } from "./json.ts";
import { type RetryOptions, type RetryPolicy, retryPolicy } from "./retry.ts";
import { checkSchema, type Schema, type SchemaInput, type SchemaOutput } from "./schema.ts";
import { checkVersion } from "./version.ts";

/** What a command's contract says. */
export interface CommandOptions<In extends Schema> {
  /** Of the parameters. Its input type is sent, so it must survive JSON. */
  readonly input: JsonInput<In>;
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
}

/** A message for exactly one worker, of which nothing is stored. */
export interface CommandContract<In extends Schema = Schema> {
  readonly kind: "command";
  readonly name: string;
  readonly version: string;
  readonly queue: string;
  readonly input: In;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | undefined;
}

/** The contract of some command. */
export type AnyCommandContract = CommandContract;

/** What `send` takes. */
export type CommandInput<C extends AnyCommandContract> = SchemaInput<C["input"]>;
/** What the handler gets. */
export type CommandParams<C extends AnyCommandContract> = SchemaOutput<C["input"]>;

/**
 * Says what a command is called and takes.
 * @throws `INVALID_NAME`, `CONFIG_INVALID`.
 */
export function defineCommand<In extends Schema>(name: string, options: CommandOptions<In>): CommandContract<In> {
  checkName("the command name", name);
  const what = `command "${name}"`;
  const { input, version = "1.0", queue = "default" } = options;
  checkSchema(`the input of ${what}`, input);
  checkDuration(`timeoutMs of ${what}`, options.timeoutMs);
  return {
    kind: "command",
    name,
    version: checkVersion(what, version),
    queue: checkName(`the queue of ${what}`, queue),
    input: input as In,
    retry: retryPolicy(options.retry),
    timeoutMs: options.timeoutMs,
  };
}
