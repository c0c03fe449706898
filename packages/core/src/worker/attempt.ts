import type { RunningAttempt, Runtime } from "../app/runtime.ts";
import type { AnyTaskContract } from "../contracts/index.ts";
import { parseWith } from "../contracts/index.ts";
import { IntermodalError, isIntermodalError, messageOf } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import { ACK, LEAVE, type Settlement } from "../ports/delivery.ts";
import type { HeldLease, SettleOutcome, SettleOutcomeKind } from "../ports/task-state-store.ts";
import type { Rostered } from "../roster.ts";
import { toJson } from "../wire/json.ts";
import { notificationOf, sendDeferred } from "../workflow/send-record.ts";
import { SubTasks } from "../workflow/sub-tasks.ts";
import { settlementOf } from "./claim-task.ts";
import { createTaskContext, type TaskContext } from "./context.ts";
import { conclude, flushStream } from "./duties.ts";
import { isRetryable, retryDelayMs, toErrorInfo } from "./errors.ts";
import { LazyAbort } from "./lazy-abort.ts";
import type { KeptLease, LeaseEntry, LeaseKeeper } from "./leases.ts";
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
  /** The number of the sending whose message is at hand. */
  readonly send: number | undefined;
}

/**
 * One attempt at a task, from the claim to the settle. It holds a slot while its handler works, gives it up while the handler waits for sub-tasks, and
 * from that moment on the store, no longer the bus, answers for the task.
 */
export class Attempt implements KeptLease, RunningAttempt, Rostered {
  readonly record: TaskRecord;
  readonly lease: HeldLease;
  place = -1;
  readonly #kept: LeaseEntry;
  readonly #options: AttemptOptions;
  readonly #abort = new LazyAbort();
  readonly #subTasks: SubTasks;
  #over: PromiseWithResolvers<void> | undefined;
  #onOver: (() => void) | undefined;
  #settleDelivery: ((settlement: Settlement) => void) | undefined;
  #holdsSlot = true;
  /** Its handler has ended, whatever it may have left behind. */
  #handled = false;
  /** The bus has let go of the message: a retry needs a new one. */
  #inCustody = false;
  #lost = false;
  /** The store has been asked to settle it: its answer decides, whatever a renewal on its way is told. */
  #settling = false;
  #cancelRequested = false;
  #shutDown = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.record = options.record;
    this.lease = options.lease;
    this.#kept = options.leases.keep(this);
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
    this.#onOver = onOver;
    return new Promise((resolve) => {
      this.#settleDelivery = resolve;
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
    if (this.#settling) return;
    this.#lose();
  }

  #lose(): void {
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
      leases.release(this.#kept);
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
          if (this.#handled || this.#lost) return;
          leases.progress(this.#kept, value);
          lifecycle.emit("progress", { ...notificationOf(record, clock.now()), progress: value });
        },
      });
      const returned = await runInScope(this.#scope(), () => handler(params, context));
      // What it made of a step that was refused for the shutdown's sake is no result.
      if (this.#shutDown && this.#subTasks.wasInterrupted) return await this.#outcomeOf(undefined);
      const what = `result of task "${contract.name}"`;
      if (contract.output !== undefined) {
        const checked = parseWith(contract.output, returned, what);
        if (checked instanceof Promise) await checked;
      }
      return { kind: "completed", result: returned === undefined ? undefined : toJson(returned, what) };
    } catch (error) {
      return await this.#outcomeOf(error);
    } finally {
      cancelTimeout?.();
      this.#handled = true;
      this.#subTasks.close();
    }
  }

  async #outcomeOf(error: unknown): Promise<SettleOutcomeKind> {
    const { contract, runtime } = this.#options;
    // Whoever has it now says what becomes of it.
    if (this.#lost) return { kind: "released" };
    const info = toErrorInfo(error);
    if (this.#cancelRequested) return { kind: "failed", status: "CANCELLED", error: info };
    if (this.#shutDown) return { kind: "released" };
    const { retry } = contract;
    if (!isRetryable(error, retry)) return { kind: "failed", status: "FAILED", error: info };
    if ((await this.#attempts(retry.maxAttempts)) >= retry.maxAttempts)
      return { kind: "failed", status: "DEAD_LETTER", error: info };
    const delayMs = retryDelayMs(error, retry, this.record.attempts);
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
    // A root that ends flushes with its terminal event. Another process may go on, and end the run, as soon as anything else has been settled.
    const endsRun = this.record.parentId === undefined && (outcome.kind === "completed" || outcome.kind === "failed");
    if (this.#subTasks.wroteToStream || !endsRun) {
      await flushStream(runtime, this.record.streamId);
    }
    this.#settling = true;
    const settled = await this.#settleAcceptably(outcome, leases.takeProgress(this.#kept));
    leases.release(this.#kept);
    if (!settled.settled) {
      this.#lose();
      return LEAVE;
    }
    const { record } = settled;
    await conclude(runtime, record);
    if (record.status === "RETRYING" || record.status === "QUEUED") {
      const delayMs = Math.max(0, (record.nextAttemptAt ?? 0) - runtime.surroundings.clock.now());
      if (!this.#inCustody) return { kind: "retry", delayMs, counted: record.status === "RETRYING" };
      await sendDeferred(runtime, record);
      return ACK;
    }
    return settlementOf(record, this.#options.send);
  }

  /** What the store refuses for good, such as a result that is too large, ends the task: another attempt would come to the same. */
  async #settleAcceptably(outcome: SettleOutcomeKind, progress: SettleArgument["progress"]): Promise<SettleOutcome> {
    try {
      return await this.#settleInStore(outcome, progress);
    } catch (error) {
      if (!isIntermodalError(error) || isIntermodalError(error, "CLOSED")) throw error;
      // It may have been no more than the latest progress.
      if (progress !== undefined) return this.#settleAcceptably(outcome, undefined);
      return this.#settleInStore({ kind: "failed", status: "FAILED", error: toErrorInfo(error) }, undefined);
    }
  }

  async #settleInStore(outcome: SettleOutcomeKind, progress: SettleArgument["progress"]): Promise<SettleOutcome> {
    const { store } = this.#options.runtime;
    const { id, token } = this.lease;
    let answerLost = false;
    const [resend, send] = this.#inCustody ? [true, undefined] : [false, this.#options.send];
    const settled = await store.persist(() => store.settle({ id, token, outcome, progress, resend, send }), {
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
    // The call was given up: slot and delivery are let go of with the attempt.
    if (this.#handled) return;
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
    const { slots } = this.#options;
    await slots.resume();
    if (this.#handled) {
      slots.release();
      return;
    }
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
