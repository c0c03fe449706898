import type { Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { IntermodalError, isIntermodalError } from "../errors.ts";
import { isTerminal, type TaskDraft, type TaskRecord } from "../lifecycle/record.ts";
import { jsonEqual } from "../lifecycle/transitions.ts";
import type { HeldLease } from "../ports/task-state-store.ts";
import { checkId } from "../wire/names.ts";
import { flushStream, performDuties } from "../worker/duties.ts";
import type { LazyAbort } from "../worker/lazy-abort.ts";
import { derivedId } from "./derived-id.ts";
import { sendDeferred } from "./send-record.ts";
import { announceSubmitted, draftTask } from "./submit.ts";

/** How one sub-task is submitted. */
export interface SubTaskOptions {
  /**
   * Names the step within its parent: a parent that runs again finds the step by it.
   * @default the task's name
   */
  readonly key?: string | undefined;
  /** @default the parent's */
  readonly userId?: string | undefined;
  /** @default 0 */
  readonly delayMs?: number | undefined;
  readonly expiresMs?: number | undefined;
}

export interface SubTasksOptions {
  readonly runtime: Runtime;
  readonly parent: TaskRecord;
  readonly lease: HeldLease;
  readonly abort: LazyAbort;
  /** The handler waits for nothing but sub-tasks from here on. */
  suspend(): Promise<void>;
  /** It goes on. */
  resume(): Promise<void>;
}

/** The sub-tasks of one attempt of a parent. */
export class SubTasks {
  readonly #options: SubTasksOptions;
  readonly #keys = new Set<string>();
  /** Calls that wait. */
  #waiting = 0;
  #isSuspended = false;
  #changing: Promise<void> = Promise.resolve();
  #onWait: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** Aborts when the handler has ended; made where something waits. */
  #ended: AbortController | undefined;
  #interrupted = false;
  #announced: Promise<unknown> | undefined;
  /** The handler has written to the run's stream. */
  wroteToStream = false;

  constructor(options: SubTasksOptions) {
    this.#options = options;
  }

  /** The handler has ended: nothing more may be begun in its name, and what it waits for no more is given up. */
  close(): void {
    this.#closed = true;
    this.#ended?.abort(this.#endedError());
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Something was refused or broken off because the attempt is to stop: what the handler made of that has nothing to do with its steps. */
  get wasInterrupted(): boolean {
    return this.#interrupted;
  }

  /** @throws when the handler has ended, is to stop, or has lost its task. */
  assertActive(): void {
    if (this.#closed) throw this.#endedError();
    this.#noteInterruption();
    this.#options.abort.throwIfAborted();
  }

  #noteInterruption(): void {
    if (this.#options.abort.isAborted) this.#interrupted = true;
  }

  #endedError(): IntermodalError {
    return new IntermodalError(
      "CLOSED",
      `the handler of task ${this.#options.parent.id} has ended; await what you start in it`,
    );
  }

  /**
   * Finds the sub-task of this key, or makes it.
   * @throws `DUPLICATE_KEY` when this attempt has used the key already; `VALIDATION_FAILED`, `NOT_SERIALIZABLE`, `LEASE_LOST`.
   */
  async submit(contract: AnyTaskContract, input: unknown, options: SubTaskOptions = {}): Promise<TaskRecord> {
    this.assertActive();
    const { runtime, parent } = this.#options;
    const key = checkId("a step key", options.key ?? contract.name);
    if (this.#keys.has(key)) {
      throw new IntermodalError(
        "DUPLICATE_KEY",
        `task ${parent.id} uses the step key ${JSON.stringify(key)} twice; give each sub-task a \`key\` of its own`,
      );
    }
    this.#keys.add(key);
    const childId = childIdOf(parent, key);
    const { userId = parent.userId, delayMs, expiresMs } = options;
    const causation = { traceparent: parent.traceparent, correlationId: parent.correlationId, causationId: parent.id };
    const drafted = draftTask(runtime, contract, input, { userId, delayMs, expiresMs }, causation);
    const draft: TaskDraft = {
      ...(await drafted.catch((error: unknown) => {
        // Refused before it was anything: the key is free for a better try.
        this.#keys.delete(key);
        throw error;
      })),
      id: childId,
      parentId: parent.id,
      rootId: parent.rootId,
      key,
      parentSeries: parent.series,
      streamId: parent.streamId,
      retentionMs: parent.retentionMs,
    };
    const reserved = await this.#persist(() =>
      runtime.store.reserve({ id: parent.id, token: this.#options.lease.token, key, childId }),
    );
    if (reserved.kind === "stale")
      throw new IntermodalError("LEASE_LOST", `task ${parent.id} was taken over by another worker`);
    return reserved.kind === "reserved" ? this.#make(draft) : this.#find(draft);
  }

  /**
   * Waits until a sub-task has ended. While the handler waits for nothing else, it holds no slot and no delivery.
   * @param patience makes the handler go on without it.
   * @throws the signal's reason.
   */
  async end(record: TaskRecord, patience?: AbortSignal): Promise<TaskRecord> {
    this.assertActive();
    if (isTerminal(record.status)) return record;
    const { runtime, abort } = this.#options;
    let ended: TaskRecord | undefined;
    this.#waiting++;
    this.#onWait?.resolve();
    this.#onWait = undefined;
    try {
      await this.#suspendOrResume();
      this.#ended ??= new AbortController();
      const signals = [abort.signal, this.#ended.signal];
      if (patience !== undefined) signals.push(patience);
      ended = await runtime.store.waiter.wait(record.id, AbortSignal.any(signals));
    } finally {
      this.#waiting--;
      this.#noteInterruption();
      if (patience?.aborted && !abort.signal.aborted) await this.#suspendOrResume();
    }
    await this.#suspendOrResume();
    if (ended === undefined) throw new IntermodalError("NOT_FOUND", `sub-task ${record.id} has expired`);
    return ended;
  }

  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when the handler begins to wait. */
  nextWait(): Promise<void> {
    this.#onWait ??= Promise.withResolvers();
    return this.#onWait.promise;
  }

  /** One change after the other: several calls may begin and end to wait at the same time. */
  #suspendOrResume(): Promise<void> {
    const change = this.#changing.then(async () => {
      if (this.#closed) throw this.#endedError();
      const suspend = this.#waiting > 0;
      if (suspend === this.#isSuspended) return;
      this.#isSuspended = suspend;
      await (suspend ? this.#options.suspend() : this.#options.resume());
      if (this.#closed) throw this.#endedError();
    });
    this.#changing = change.catch(() => undefined);
    return change;
  }

  async #make(draft: TaskDraft): Promise<TaskRecord> {
    const { runtime, parent } = this.#options;
    // That the parent has started stands in the stream before anything of its sub-tasks, wherever these run.
    this.#announced ??= flushStream(runtime, parent.streamId);
    await this.#announced;
    const created = await this.#persist(() => runtime.store.create(draft));
    if (created.kind === "conflict") throw conflict(draft);
    if (created.kind === "existing" && !created.resend) return created.record;
    await this.#send(created.record);
    announceSubmitted(runtime, created.record);
    return created.record;
  }

  async #find(draft: TaskDraft): Promise<TaskRecord> {
    const { runtime, parent } = this.#options;
    const existing = await this.#persist(() => runtime.store.get(draft.id));
    if (existing === undefined) return this.#make(draft);
    if (existing.type !== draft.type && !existing.withdrawn) throw conflict(draft);
    if (!jsonEqual(existing.input, draft.input) && !existing.withdrawn) {
      runtime.surroundings.logger.warn("a sub-task was submitted again with another input; the recorded one stands", {
        task: existing.id,
      });
    }
    const failedEarlier =
      isTerminal(existing.status) && existing.status !== "COMPLETED" && (existing.parentSeries ?? 0) < parent.series;
    return failedEarlier ? this.#reopen(existing, draft) : existing;
  }

  /** The parent was replayed: what failed runs again. The parent waits for it from before it is opened, so that a crash in between can be mended. */
  async #reopen(failed: TaskRecord, draft: TaskDraft): Promise<TaskRecord> {
    const { runtime, parent } = this.#options;
    const { port } = runtime.store;
    const childSeries = failed.series + 1;
    await this.#persist(() =>
      port.reopenChild({ parentId: parent.id, key: draft.key as string, childId: failed.id, childSeries }),
    );
    if (failed.withdrawn) return this.#make(draft);
    if (failed.duties.length > 0) await performDuties(runtime, failed);
    if (failed.duties.length > 0) await runtime.store.flush();
    const reopened = await this.#persist(() =>
      port.reopen({ id: failed.id, series: failed.series, parentSeries: parent.series, streamId: parent.streamId }),
    );
    if (reopened === undefined) return (await this.#persist(() => runtime.store.get(failed.id))) ?? failed;
    await this.#send(reopened);
    return reopened;
  }

  /** The store has custody. What no bus will ever take is taken back, and the handler is told. */
  async #send(record: TaskRecord): Promise<void> {
    const { runtime } = this.#options;
    try {
      await sendDeferred(runtime, record);
    } catch (error) {
      if (!isIntermodalError(error)) throw error;
      const mark = { id: record.id, series: record.series, send: record.sends };
      const [withdrawn] = await this.#persist(() => runtime.store.port.withdraw([mark]));
      if (!withdrawn) throw error;
      const end = {
        parentId: record.parentId as string,
        key: record.key as string,
        childId: record.id,
        series: record.series,
      };
      await this.#persist(() => runtime.store.childEnded({ ...end, status: "CANCELLED" }));
      throw error;
    }
  }

  async #persist<T>(step: () => Promise<T>): Promise<T> {
    const { runtime, abort } = this.#options;
    try {
      return await runtime.store.persist(step, { signal: abort.signal });
    } catch (error) {
      this.#noteInterruption();
      throw error;
    }
  }
}

function conflict(draft: TaskDraft): IntermodalError {
  return new IntermodalError("CONFLICT", `sub-task ${draft.id} exists already as another task; choose another key`);
}

/** Derives from parent, epoch and key, so that a parent that runs again names the same sub-task. */
function childIdOf(parent: TaskRecord, key: string): string {
  const escaped = key.replace(/[%/:]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return derivedId(parent.epoch === 1 ? `${parent.id}/${escaped}` : `${parent.id}/${parent.epoch}:${escaped}`);
}
