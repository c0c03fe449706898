import { type PublishOptions, publishEvent, type SendOptions, sendCommand } from "../app/publish.ts";
import type { Runtime } from "../app/runtime.ts";
import { resultOf, TaskHandle } from "../app/task-handle.ts";
import type {
  AnyCommandContract,
  AnyEventContract,
  AnyTaskContract,
  CommandInput,
  EventData,
  TaskInput,
  TaskResult,
} from "../contracts/index.ts";
import { IntermodalError, messageOf } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";
import type { Logger } from "../ports/logger.ts";
import { toJson } from "../wire/json.ts";
import { derivedId } from "../workflow/derived-id.ts";
import type { SubTaskOptions, SubTasks } from "../workflow/sub-tasks.ts";
import type { LazyAbort } from "./lazy-abort.ts";
import { logContext } from "./scope.ts";

/** What a task's handler is given beside its parameters. */
export interface TaskContext {
  readonly id: string;
  /** The root task's id. */
  readonly runId: string;
  readonly parentId: string | undefined;
  readonly userId: string | undefined;
  /** 1 for the first attempt. Restarts with each newly finished step of a workflow. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Aborts when the task is cancelled, its `timeoutMs` is over, another worker has taken it over, or the worker shuts down and has waited long enough. */
  readonly signal: AbortSignal;
  /** Writes to the app's logger with task, run, attempt and trace. */
  readonly log: Logger;
  /** Stores how far the task is: soon, the latest wins. @throws `NOT_SERIALIZABLE`. */
  progress(value: JsonValue): void;
  /**
   * Writes an event to the run's stream, soon and in order. A store that is away costs the event, never the task. The names `lifecycle.*`, `task.*`, `gap` and `unavailable` are the SDK's;
   * `error` and `open` are better avoided, since a browser's EventSource gives them a meaning of its own.
   * @throws `PAYLOAD_TOO_LARGE`, `VALIDATION_FAILED`, `NOT_SERIALIZABLE`.
   */
  emit(name: string, data: JsonValue): void;
  /**
   * Submits a sub-task. This task ends only when it has ended. The same key in a later attempt finds the same sub-task.
   * @throws `DUPLICATE_KEY`, `VALIDATION_FAILED`, `NOT_SERIALIZABLE`.
   */
  submit<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options?: SubTaskOptions,
  ): Promise<TaskHandle<Contract>>;
  /**
   * Submits a sub-task and waits for its result, holding no slot meanwhile.
   * @throws {TaskFailedError} when it ends otherwise than by completing; uncaught, it ends this task as FAILED.
   */
  call<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options?: SubTaskOptions,
  ): Promise<TaskResult<Contract>>;
  /** Publishes an event. A later attempt publishes it under the same id. */
  publish<Contract extends AnyEventContract>(
    contract: Contract,
    data: EventData<Contract>,
    options?: PublishOptions,
  ): Promise<void>;
  /** Sends a command. A later attempt sends it under the same id. */
  send<Contract extends AnyCommandContract>(
    contract: Contract,
    input: CommandInput<Contract>,
    options?: SendOptions,
  ): Promise<void>;
}

export interface TaskContextOptions {
  readonly runtime: Runtime;
  readonly record: TaskRecord;
  readonly subTasks: SubTasks;
  readonly abort: LazyAbort;
  readonly maxAttempts: number;
  progress(value: JsonValue): void;
}

export function createTaskContext(options: TaskContextOptions): TaskContext {
  return new HandlerContext(options);
}

/** Written by the SDK alone: a reader takes the run for ended by them, events for gone, or the store for away. */
const RESERVED = /^(?:lifecycle\.|task\.|gap$|unavailable$)/;

/** A class, so that a context costs one object and not a dozen closures. */
class HandlerContext implements TaskContext {
  readonly #options: TaskContextOptions;
  #messages: MessageIds | undefined;
  #log: Logger | undefined;

  constructor(options: TaskContextOptions) {
    this.#options = options;
  }

  get id() {
    return this.#options.record.id;
  }

  get runId() {
    return this.#options.record.rootId;
  }

  get parentId() {
    return this.#options.record.parentId;
  }

  get userId() {
    return this.#options.record.userId;
  }

  get attempt() {
    return this.#options.record.attempts;
  }

  get maxAttempts() {
    return this.#options.maxAttempts;
  }

  get signal() {
    return this.#options.abort.signal;
  }

  get log() {
    this.#log ??= contextLogger(this.#options.runtime.surroundings.logger);
    return this.#log;
  }

  progress(value: JsonValue): void {
    this.#options.progress(toJson(value, "progress"));
  }

  emit(name: string, data: JsonValue): void {
    const { runtime, record, subTasks } = this.#options;
    subTasks.wroteToStream = true;
    if (RESERVED.test(name)) {
      throw new IntermodalError(
        "VALIDATION_FAILED",
        `run event name "${name}" is reserved for the SDK; choose another`,
      );
    }
    runtime.writer?.emit(record.streamId, record.id, name, data);
  }

  submit<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options?: SubTaskOptions,
  ): Promise<TaskHandle<Contract>> {
    return this.#begin(async ({ runtime, subTasks }) => {
      const record = await subTasks.submit(contract, input, options);
      return new TaskHandle(runtime, contract, record.id, (patience) => subTasks.end(record, patience));
    });
  }

  call<Contract extends AnyTaskContract>(
    contract: Contract,
    input: TaskInput<Contract>,
    options?: SubTaskOptions,
  ): Promise<TaskResult<Contract>> {
    return this.#begin(async ({ subTasks }) => {
      const record = await subTasks.submit(contract, input, options);
      return resultOf(contract, await subTasks.end(record));
    });
  }

  publish<Contract extends AnyEventContract>(
    contract: Contract,
    data: EventData<Contract>,
    options?: PublishOptions,
  ): Promise<void> {
    return this.#begin(async ({ runtime, subTasks }) => {
      subTasks.assertActive();
      await publishEvent(runtime, contract, data, { id: this.#nextId("event", contract.name), ...options });
    });
  }

  send<Contract extends AnyCommandContract>(
    contract: Contract,
    input: CommandInput<Contract>,
    options?: SendOptions,
  ): Promise<void> {
    return this.#begin(async ({ runtime, subTasks }) => {
      subTasks.assertActive();
      await sendCommand(runtime, contract, input, { id: this.#nextId("command", contract.name), ...options });
    });
  }

  /** What a handler forgot to await must not end its process as an unhandled rejection: it is logged. */
  #begin<T>(work: (options: TaskContextOptions) => Promise<T>): Promise<T> {
    const options = this.#options;
    const begun = work(options);
    begun.catch((error: unknown) => {
      if (!options.subTasks.isClosed) return;
      const { logger } = options.runtime.surroundings;
      logger.warn("something that a handler did not await failed", {
        task: options.record.id,
        error: messageOf(error),
      });
    });
    return begun;
  }

  #nextId(kind: string, type: string): string {
    const { id, epoch, series } = this.#options.record;
    this.#messages ??= new MessageIds(`${id}/${epoch}.${series}`);
    return this.#messages.next(kind, type);
  }
}

/** Ids of what a handler sends: the n-th of a type has the same id in every attempt. */
export class MessageIds {
  readonly #prefix: string;
  readonly #counts = new Map<string, number>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  next(kind: string, type: string): string {
    const place = `${kind}/${type}`;
    const count = (this.#counts.get(place) ?? 0) + 1;
    this.#counts.set(place, count);
    return derivedId(`${this.#prefix}/${place}/${count}`);
  }
}

/** Adds the context of the handler that runs to every line. */
export function contextLogger(logger: Logger): Logger {
  const withContext =
    (level: keyof Logger) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      logger[level](message, { ...logContext(), ...fields });
  return {
    debug: withContext("debug"),
    info: withContext("info"),
    warn: withContext("warn"),
    error: withContext("error"),
  };
}
