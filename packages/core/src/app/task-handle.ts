import type { AnyTaskContract, TaskInput, TaskResult } from "../contracts/index.ts";
import { parseWith } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";
import { followRunOf } from "../run-stream/follow-run.ts";
import type { NamedRunEvent } from "../run-stream/named-event.ts";
import type { RunGap } from "../run-stream/run-event.ts";
import { requestCancel } from "../worker/duties.ts";
import { TaskFailedError } from "../worker/errors.ts";
import { replayTask } from "../workflow/replay.ts";
import type { Runtime } from "./runtime.ts";
import { snapshotOf, type TaskSnapshot } from "./task-snapshot.ts";

/** How long to wait for a task's end. */
export interface ResultOptions {
  /** Rejects with `TIMEOUT` after so many milliseconds; without it, waits for as long as it takes. */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting, with the signal's reason; the task goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Which part of a run's stream to follow. */
export interface StreamOptions {
  /**
   * The `id` of the last event that is known already; the segment that it is of is followed to its end.
   * @default from the start of the current segment
   */
  readonly after?: string | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** One task, as seen from outside. `app.task(contract, id)` gets the handle again in another process. */
export class TaskHandle<Contract extends AnyTaskContract> {
  /** The task's id: `app.task(contract, id)` gets this handle again. */
  readonly id: string;
  readonly #runtime: Runtime | (() => Promise<Runtime>);
  readonly #contract: Contract;
  readonly #end: ((patience: AbortSignal | undefined) => Promise<TaskRecord>) | undefined;

  /** @internal Applications get handles from `submit` and `task`. */
  constructor(
    runtime: Runtime | (() => Promise<Runtime>),
    contract: Contract,
    id: string,
    end?: (patience: AbortSignal | undefined) => Promise<TaskRecord>,
  ) {
    this.#runtime = runtime;
    this.#contract = contract;
    this.id = id;
    this.#end = end;
  }

  /** How the task stands now. @throws `UNAVAILABLE`. @throws `NOT_FOUND` when there is no such task, or its record has expired. */
  async status(): Promise<TaskSnapshot> {
    return snapshotOf(await this.#record());
  }

  /**
   * Waits for the end and returns the result. Depends on the task's state alone, never on its stream.
   * @throws {TaskFailedError} with status, attempts and cause, when it ended as FAILED, CANCELLED or DEAD_LETTER. @throws `TIMEOUT`, `NOT_FOUND`.
   */
  result(options: ResultOptions = {}): Promise<TaskResult<Contract>> {
    const result = this.#wait(options).then((record) => resultOf(this.#contract, record));
    // A handler that forgot to await it must not end its process.
    if (this.#end !== undefined) result.catch(() => undefined);
    return result;
  }

  /**
   * What the run is doing, from history to live: resumable with `after`, ends with the run. A sub-task's handle follows its run. `Events` says what the run's handlers emit,
   * data by name, as the caller knows it; it is not checked.
   * @throws `CURSOR_INVALID`, `NOT_FOUND`, `PORT_MISSING`.
   */
  async *stream<Events extends object = Record<string, JsonValue>>(
    options: StreamOptions = {},
  ): AsyncGenerator<NamedRunEvent<Events> | RunGap, void, undefined> {
    const runtime = await this.#ready();
    const record = await this.#record();
    yield* followRunOf(runtime, record.rootId, options) as AsyncIterable<NamedRunEvent<Events> | RunGap>;
  }

  /**
   * Asks the task and all its sub-tasks to stop. A completion that was settled first stands.
   * @returns how it stands after the request.
   * @throws `NOT_FOUND`.
   */
  async cancel(): Promise<TaskSnapshot> {
    const record = await requestCancel(await this.#ready(), this.id);
    if (record === undefined) throw notFound(this.id);
    return snapshotOf(record);
  }

  /**
   * Runs an ended task again: its finished sub-tasks keep their results, its failed ones run again; with a changed input all run again.
   * @throws `NOT_REPLAYABLE`, `NOT_FOUND`, `VALIDATION_FAILED`.
   */
  async replay(options: { readonly input?: TaskInput<Contract> } = {}): Promise<TaskSnapshot> {
    const input =
      options.input === undefined ? undefined : { contract: this.#contract, value: options.input as unknown };
    return snapshotOf(await replayTask(await this.#ready(), this.id, input));
  }

  async #wait(options: ResultOptions): Promise<TaskRecord> {
    const runtime = await this.#ready();
    const { clock } = runtime.surroundings;
    if (this.#end !== undefined && options.timeoutMs === undefined) return this.#end(options.signal);
    const limit = new AbortController();
    const cancelTimeout =
      options.timeoutMs === undefined
        ? undefined
        : clock.schedule(options.timeoutMs, () =>
            limit.abort(
              new IntermodalError("TIMEOUT", `task ${this.id} did not end within ${options.timeoutMs} ms; it goes on`),
            ),
          );
    const signal = options.signal === undefined ? limit.signal : AbortSignal.any([options.signal, limit.signal]);
    try {
      if (this.#end !== undefined) return await this.#end(signal);
      const record = await runtime.store.waiter.wait(this.id, signal);
      if (record === undefined) throw notFound(this.id);
      return record;
    } finally {
      cancelTimeout?.();
    }
  }

  async #record(): Promise<TaskRecord> {
    const runtime = await this.#ready();
    const record = await runtime.store.get(this.id);
    if (record === undefined) throw notFound(this.id);
    return record;
  }

  async #ready(): Promise<Runtime> {
    return typeof this.#runtime === "function" ? this.#runtime() : this.#runtime;
  }
}

function notFound(id: string): IntermodalError {
  return new IntermodalError("NOT_FOUND", `there is no task ${id}, or its record has expired`);
}

/** @throws {TaskFailedError} unless the task completed. */
export async function resultOf<Contract extends AnyTaskContract>(
  contract: Contract,
  record: TaskRecord,
): Promise<TaskResult<Contract>> {
  if (!isTerminal(record.status)) throw new IntermodalError("NOT_FOUND", `task ${record.id} has not ended`);
  if (record.status !== "COMPLETED" && record.status !== "COMPLETED_WITH_ERRORS") throw new TaskFailedError(record);
  if (contract.output === undefined) return undefined as TaskResult<Contract>;
  return (await parseWith(contract.output, record.result, `result of task "${contract.name}"`)) as TaskResult<Contract>;
}
