import type { Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { parseWith } from "../contracts/index.ts";
import { IntermodalError, messageOf } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import { ACK, LEAVE, type Settlement } from "../ports/delivery.ts";
import type { HeldLease, SettleOutcome, SettleOutcomeKind } from "../ports/task-state-store.ts";
import { toJson } from "../wire/json.ts";
import { notificationOf, sendDeferred } from "../workflow/send-record.ts";
import { SubTasks } from "../workflow/sub-tasks.ts";
import { createTaskContext, type TaskContext } from "./context.ts";
import { conclude } from "./duties.ts";
import { isNonRetryable, retryAfterMs, toErrorInfo } from "./errors.ts";
import { LazyAbort } from "./lazy-abort.ts";
import type { KeptLease, LeaseKeeper } from "./leases.ts";
import { runInScope, type Scope } from "./scope.ts";
import type { Slots } from "./slots.ts";

/** What a handler is, once its contract's types are no longer known. */
export type AnyTaskHandler = (params: unknown, context: TaskContext) => unknown;

export interface AttemptOptions {
  readonly runtime: Runtime;
  readonly leases: LeaseKeeper;
  readonly slots: Slots;
  readonly contract: AnyTaskContract;
  readonly handler: AnyTaskHandler;
  readonly record: TaskRecord;
  readonly lease: HeldLease;
}

/**
 * One attempt at a task, from the claim to the settle. It holds a slot while its handler works, gives it up while the handler waits for sub-tasks, and
 * from that moment on the store, no longer the bus, answers for the task.
 */
export class Attempt implements KeptLease {
  readonly record: TaskRecord;
  readonly lease: HeldLease;
  readonly #options: AttemptOptions;
  readonly #abort = new LazyAbort();
  readonly #subTasks: SubTasks;
  #over: PromiseWithResolvers<void> | undefined;
  #onOver: (() => void) | undefined;
  #settleDelivery: ((settlement: Settlement) => void) | undefined;
  #holdsSlot = true;
  /** The bus has let go of the message: a retry needs a new one. */
  #inCustody = false;
  #lost = false;
  #cancelRequested = false;
  #shutDown = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.record = options.record;
    this.lease = options.lease;
    this.#subTasks = new SubTasks({
      runtime: options.runtime,
      parent: options.record,
      lease: options.lease,
      abort: this.#abort,
      suspend: () => this.#suspend(),
      resume: () => this.#resume(),
    });
  }

  /** Resolves with what becomes of the delivery: at the end, or as soon as the store has custody. `onOver` is called when the attempt is over. */
  run(onOver: () => void): Promise<Settlement> {
    const { runtime, leases } = this.#options;
    this.#onOver = onOver;
    return new Promise((resolve) => {
      this.#settleDelivery = resolve;
      leases.keep(this);
      runtime.running.set(this.record.id, this);
      void this.#run();
    });
  }

  /** Resolves when the attempt is over. */
  get over(): Promise<void> {
    this.#over ??= Promise.withResolvers();
    return this.#over.promise;
  }

  /** Its handler waits for nothing but sub-tasks. */
  get isWaiting(): boolean {
    return this.#subTasks.isWaiting;
  }

  /** Resolves when it waits for sub-tasks, or is over. */
  quiet(): Promise<void> {
    return this.isWaiting ? Promise.resolve() : Promise.race([this.over, this.#subTasks.nextWait()]);
  }

  cancel(): void {
    this.#cancelRequested = true;
    this.#abort.abort(new IntermodalError("CANCELLED", `task ${this.record.id} was cancelled`));
  }

  /** The process wants to end: a handler that stops for it is handed back, uncounted. */
  shutDown(): void {
    this.#shutDown = true;
    this.#abort.abort(new IntermodalError("SHUTDOWN", "the worker is shutting down"));
  }

  onLost(): void {
    this.#lost = true;
    this.#abort.abort(new IntermodalError("LEASE_LOST", `task ${this.record.id} was taken over by another worker`));
  }

  onCancelRequested(): void {
    this.cancel();
  }

  async #run(): Promise<void> {
    const { runtime, leases, slots } = this.#options;
    let settlement: Settlement = LEAVE;
    try {
      const outcome = await this.#handle();
      settlement = await this.#settle(outcome);
    } catch (error) {
      // Only what cannot be answered for any more ends here: the adapter was closed, or the store refuses for good. The lease runs out by itself.
      runtime.surroundings.logger.error("an attempt could not be settled", {
        task: this.record.id,
        error: messageOf(error),
      });
    } finally {
      leases.release(this);
      if (runtime.running.get(this.record.id) === this) runtime.running.delete(this.record.id);
      if (this.#holdsSlot) slots.release();
      this.#settleDelivery?.(settlement);
      this.#onOver?.();
      this.#over?.resolve();
    }
  }

  async #handle(): Promise<SettleOutcomeKind> {
    const { runtime, contract, handler, leases } = this.#options;
    const { record } = this;
    const { clock, lifecycle } = runtime.surroundings;
    lifecycle.emit("started", this.#notification());
    const cancelTimeout =
      contract.timeoutMs === undefined
        ? undefined
        : clock.schedule(contract.timeoutMs, () =>
            this.#abort.abort(new IntermodalError("TIMEOUT", `the attempt took longer than ${contract.timeoutMs} ms`)),
          );
    try {
      const parsed = parseWith(contract.input, record.input, `input of task "${contract.name}"`);
      const params = parsed instanceof Promise ? await parsed : parsed;
      const context = createTaskContext({
        runtime,
        record,
        subTasks: this.#subTasks,
        abort: this.#abort,
        maxAttempts: contract.retry.maxAttempts,
        progress: (value) => {
          leases.progress(this, value);
          lifecycle.emit("progress", { ...notificationOf(record, clock.now()), progress: value });
        },
      });
      const returned = await runInScope(this.#scope(), () => handler(params, context));
      return { kind: "completed", result: await this.#checkResult(returned) };
    } catch (error) {
      return await this.#outcomeOf(error);
    } finally {
      cancelTimeout?.();
      this.#subTasks.close();
    }
  }

  async #checkResult(returned: unknown) {
    const { contract } = this.#options;
    const what = `result of task "${contract.name}"`;
    if (contract.output !== undefined) await parseWith(contract.output, returned, what);
    return returned === undefined ? undefined : toJson(returned, what);
  }

  async #outcomeOf(error: unknown): Promise<SettleOutcomeKind> {
    const { contract, runtime } = this.#options;
    const info = toErrorInfo(error);
    if (this.#cancelRequested) return { kind: "failed", status: "CANCELLED", error: info };
    if (this.#shutDown) return { kind: "released" };
    const { retry } = contract;
    if (isNonRetryable(error) || (retry.when !== undefined && !retry.when(error)))
      return { kind: "failed", status: "FAILED", error: info };
    if ((await this.#attempts(retry.maxAttempts)) >= retry.maxAttempts)
      return { kind: "failed", status: "DEAD_LETTER", error: info };
    const delayMs = retryAfterMs(error) ?? retry.backoff.delayMs(this.record.attempts, Math.random);
    runtime.surroundings.lifecycle.emit("retrying", { ...this.#notification(), error: info, delayMs });
    return { kind: "retry", error: info, delayMs };
  }

  /** Steps that finished meanwhile have restarted the count: asked only where it matters. */
  async #attempts(maxAttempts: number): Promise<number> {
    if (this.record.attempts < maxAttempts) return this.record.attempts;
    const { store } = this.#options.runtime;
    const current = await store.persist(() => store.get(this.record.id));
    return current?.fence === this.lease.token ? current.attempts : this.record.attempts;
  }

  /** The result is stored and its duties are done before the delivery is settled. */
  async #settle(outcome: SettleOutcomeKind): Promise<Settlement> {
    const { runtime, leases } = this.#options;
    if (this.#lost) return LEAVE;
    if (this.#subTasks.wroteToStream) {
      await runtime.writer?.flush(this.record.streamId, {
        timeoutMs: runtime.surroundings.settings.streamFlushTimeoutMs,
      });
    }
    const settled = await this.#settleInStore(outcome, leases.takeProgress(this));
    if (!settled.settled) return LEAVE;
    const { record } = settled;
    await conclude(runtime, record);
    if (record.status === "RETRYING" || record.status === "QUEUED") {
      const delayMs = Math.max(0, (record.nextAttemptAt ?? 0) - runtime.surroundings.clock.now());
      if (!this.#inCustody) return { kind: "retry", delayMs, counted: record.status === "RETRYING" };
      await sendDeferred(runtime, record);
      return ACK;
    }
    const status = record.closesAs ?? record.status;
    return status === "FAILED" || status === "DEAD_LETTER"
      ? { kind: "dead-letter", reason: `${status}: ${record.error?.message ?? "unknown"}` }
      : ACK;
  }

  async #settleInStore(outcome: SettleOutcomeKind, progress: SettleArgument["progress"]): Promise<SettleOutcome> {
    const { store } = this.#options.runtime;
    const { id, token } = this.lease;
    let answerLost = false;
    const settled = await store.persist(() => store.settle({ id, token, outcome, progress, resend: this.#inCustody }), {
      onLostAnswer: () => {
        answerLost = true;
      },
    });
    if (settled.settled || !answerLost) return settled;
    // Was it the lost try that settled it? Then nobody has claimed it since.
    const record = await store.persist(() => store.get(id));
    return record !== undefined && record.fence === token && record.lease === undefined
      ? { settled: true, record }
      : settled;
  }

  async #suspend(): Promise<void> {
    const { runtime, slots } = this.#options;
    await this.#setPhase("waiting");
    if (!this.#inCustody) {
      this.#inCustody = true;
      this.#settleDelivery?.(ACK);
      this.#settleDelivery = undefined;
    }
    if (this.#holdsSlot) slots.release();
    this.#holdsSlot = false;
    runtime.surroundings.logger.debug("waits for sub-tasks", { task: this.record.id });
  }

  async #resume(): Promise<void> {
    await this.#options.slots.resume();
    this.#holdsSlot = true;
    await this.#setPhase(null);
  }

  async #setPhase(phase: "waiting" | null): Promise<void> {
    const { store } = this.#options.runtime;
    const { id, token, leaseMs } = this.lease;
    const renewed = await store.persist(() => store.renew({ id, token, leaseMs, phase }), {
      signal: this.#abort.signal,
    });
    if (!renewed.held) this.onLost();
    else if (renewed.cancelRequested) this.cancel();
    this.#abort.throwIfAborted();
  }

  #notification() {
    const { runtime, contract } = this.#options;
    return {
      ...notificationOf(this.record, runtime.surroundings.clock.now()),
      attempt: this.record.attempts,
      maxAttempts: contract.retry.maxAttempts,
    };
  }

  #scope(): Scope {
    const { id, rootId, attempts, traceparent, correlationId } = this.record;
    return { log: { task: id, run: rootId, attempt: attempts, trace: traceparent }, traceparent, correlationId, id };
  }
}

type SettleArgument = Parameters<Runtime["store"]["settle"]>[0];
