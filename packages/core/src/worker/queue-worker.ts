import type { Runtime } from "../app/runtime.ts";
import {
  type AnyCommandContract,
  type AnyTaskContract,
  inRange,
  parseWith,
  sameMajor,
  type VersionRange,
} from "../contracts/index.ts";
import { IntermodalError, messageOf } from "../errors.ts";
import { claim } from "../lifecycle/claiming.ts";
import type { Consumption, Delivery, Settlement } from "../ports/delivery.ts";
import type { HeldLease } from "../ports/task-state-store.ts";
import { Roster } from "../roster.ts";
import { type CommandEnvelope, decodeCommand, draftOf } from "../wire/envelope.ts";
import { type AnyTaskHandler, Attempt } from "./attempt.ts";
import { claimTask, endUnknown } from "./claim-task.ts";
import { comeBack, HAND_BACK, STORE_AWAY_DELAY_MS } from "./come-back.ts";
import { RunningMessages } from "./handle-message.ts";
import type { LeaseKeeper } from "./leases.ts";
import { type CommandContext, createMessageContext } from "./message-context.ts";
import { runInScope } from "./scope.ts";
import { Slots } from "./slots.ts";

interface TaskRegistration {
  readonly contract: AnyTaskContract;
  readonly handler: AnyTaskHandler;
}

/** What an app does with one type of message. */
export type Registration =
  | TaskRegistration
  | {
      readonly contract: AnyCommandContract;
      readonly handler: (params: unknown, context: CommandContext) => unknown;
    };

export interface QueueWorkerOptions {
  readonly runtime: Runtime;
  /** Absent where there is no state store. */
  readonly leases: LeaseKeeper | undefined;
  /** By type. */
  readonly registrations: ReadonlyMap<string, Registration>;
  readonly concurrency: number;
}

/** A delivery waits for a slot at most so long; then another worker may have one. */
const SLOT_PATIENCE_MS = 5_000;

/** Consumes one queue: decides what a message is, gives it a slot, and has it run. */
export class QueueWorker {
  readonly queue: string;
  readonly #options: QueueWorkerOptions;
  readonly #versions = new Map<string, VersionRange>();
  readonly #slots: Slots;
  readonly #attempts = new Roster<Attempt>();
  readonly #commands = new RunningMessages();
  readonly #waiting = new Set<() => void>();
  /** Types whose rate limit could not be asked for the last time. */
  readonly #unasked = new Set<string>();
  #consumption: Consumption | undefined;
  #stopping = false;
  #shutDown = false;

  constructor(queue: string, options: QueueWorkerOptions) {
    this.queue = queue;
    this.#options = options;
    this.#slots = new Slots(options.concurrency);
    options.runtime.running.push(this.#attempts);
    for (const [type, { contract }] of options.registrations) this.#versions.set(type, sameMajor(contract.version));
  }

  async start(): Promise<void> {
    const { runtime, concurrency } = this.#options;
    const handle = (delivery: Delivery) => this.#handle(delivery);
    this.#consumption = await runtime.ports.commandBus.work(this.queue, { concurrency }, handle);
    // Stopped while it waited for the broker.
    if (this.#stopping) await this.#consumption.close({ timeoutMs: 0 });
  }

  /** Takes nothing new, hands back what waits for a slot, and resolves when no delivery is left here, or after `timeoutMs`. */
  async takeNoMore(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    for (const handBack of [...this.#waiting]) handBack();
    await this.#consumption?.close({ timeoutMs });
  }

  /** Asks every handler to stop, and begins no other. */
  shutDown(): void {
    this.#shutDown = true;
    for (const attempt of this.#attempts) attempt.shutDown();
    this.#commands.shutDown();
  }

  /** Attempts under way: those without a delivery any more are among them. */
  get attempts(): readonly Attempt[] {
    return [...this.#attempts];
  }

  /** What still runs. */
  get running(): readonly { readonly id: string; readonly type: string }[] {
    return [...this.attempts.map(({ record }) => ({ id: record.id, type: record.type })), ...this.#commands.list];
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    await Promise.all(this.attempts.map((attempt) => attempt.over));
    await this.#consumption?.close();
  }

  async #handle(delivery: Delivery): Promise<Settlement> {
    let envelope: CommandEnvelope;
    try {
      envelope = decodeCommand(delivery.body);
    } catch (error) {
      return { kind: "dead-letter", reason: messageOf(error) };
    }
    const registration = this.#options.registrations.get(envelope.type);
    const versions = this.#versions.get(envelope.type);
    if (registration === undefined || versions === undefined || !inRange(envelope.version, versions)) {
      return this.#unknown(delivery, envelope);
    }
    const { contract } = registration;
    if (this.#stopping) return HAND_BACK;
    if (!this.#slots.tryTake() && !(await this.#waitForSlot())) return HAND_BACK;
    // With a slot in hand: a permit is for what begins now.
    const isLimited = contract.kind === "task" && contract.rateLimit !== undefined;
    const waitMs = isLimited ? await this.#rateLimit(contract, envelope) : 0;
    if (this.#stopping || (waitMs !== undefined && waitMs > 0)) {
      this.#slots.release();
      return comeBack(waitMs ?? 0);
    }
    if (envelope.task === undefined) return this.#runCommand(delivery, envelope, registration);
    return await this.#runTask(delivery, envelope, registration as TaskRegistration, waitMs === 0);
  }

  /** A slot, or false when the worker stops or has none for too long. */
  #waitForSlot(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (got: boolean) => {
        cancelPatience();
        this.#waiting.delete(handBack);
        resolve(got);
      };
      const giveUp = this.#slots.whenFree(() => end(true));
      const handBack = () => {
        if (giveUp()) end(false);
      };
      const cancelPatience = this.#options.runtime.surroundings.clock.schedule(SLOT_PATIENCE_MS, handBack);
      this.#waiting.add(handBack);
    });
  }

  /**
   * Asks for a permit, of an `envelope` only if its task is to run: a permit that was taken is not given back.
   * @returns 0 with a permit, or when to ask again; `undefined` for what is not to run. Never rejects.
   */
  async #rateLimit(contract: AnyTaskContract, envelope?: CommandEnvelope): Promise<number | undefined> {
    const { ports, surroundings } = this.#options.runtime;
    const { rateLimit, name } = contract;
    if (rateLimit === undefined || ports.rateLimiter === undefined) return 0;
    try {
      const isToRun = envelope === undefined || (await this.#isToRun(contract, envelope));
      const waitMs = isToRun ? await ports.rateLimiter.tryAcquire(rateLimit.key ?? name, rateLimit) : undefined;
      if (isToRun) this.#unasked.delete(name);
      return waitMs;
    } catch (error) {
      if (!this.#unasked.has(name)) {
        surroundings.logger.warn("a task's rate limit cannot be asked for; its messages come back until it can", {
          type: name,
          queue: this.queue,
          error: messageOf(error),
        });
      }
      this.#unasked.add(name);
      return STORE_AWAY_DELAY_MS;
    }
  }

  /** Whether a claim would begin an attempt, as far as can be told without one: of a task that has ended, was cancelled or has to wait it would not. */
  async #isToRun({ retry }: AnyTaskContract, envelope: CommandEnvelope): Promise<boolean> {
    const draft = draftOf(envelope);
    if (draft === undefined) return true;
    const { store, surroundings } = this.#options.runtime;
    const { clock, node, settings } = surroundings;
    const record = await store.get(draft.id);
    const { id, series } = draft;
    const ask = { id, series, node, leaseMs: settings.taskLeaseMs, maxAttempts: retry.maxAttempts, owes: [], draft };
    const { outcome } = claim(record, ask, clock.now());
    return outcome.claimed && outcome.instead === undefined;
  }

  /** Another deployment may know it; past its age limit nobody does. */
  async #unknown(delivery: Delivery, envelope: CommandEnvelope): Promise<Settlement> {
    const { runtime } = this.#options;
    const { clock, settings, logger } = runtime.surroundings;
    const what = `type "${envelope.type}" version ${envelope.version}`;
    if (clock.now() - delivery.sentAt < settings.unknownTypeMaxAgeMs) {
      logger.warn(`no handler here for ${what}; the message comes back later`, { id: envelope.id, queue: this.queue });
      return comeBack(settings.unknownTypeDelayMs);
    }
    const reason = `no worker of queue "${this.queue}" knows ${what}`;
    if (envelope.task !== undefined && runtime.hasStore) return endUnknown(runtime, delivery, envelope, reason);
    return { kind: "dead-letter", reason };
  }

  async #runTask(
    delivery: Delivery,
    envelope: CommandEnvelope,
    { contract, handler }: TaskRegistration,
    hasPermit: boolean,
  ): Promise<Settlement> {
    const { runtime, leases } = this.#options;
    const claimed =
      leases === undefined
        ? { settlement: comeBack(STORE_AWAY_DELAY_MS) }
        : await claimTask(runtime, delivery, envelope, contract);
    if ("settlement" in claimed || leases === undefined) {
      this.#slots.release();
      return "settlement" in claimed ? claimed.settlement : HAND_BACK;
    }
    const { record, lease } = claimed;
    // When it was looked up it was not to run yet.
    const waitMs = hasPermit ? 0 : ((await this.#rateLimit(contract)) ?? 0);
    if (this.#shutDown || waitMs > 0) {
      this.#slots.release();
      await this.#giveBack(lease);
      return comeBack(waitMs);
    }
    const send = envelope.task?.send;
    const attempt = new Attempt({ runtime, leases, slots: this.#slots, contract, handler, record, lease, send });
    this.#attempts.add(attempt);
    return await attempt.run(() => this.#attempts.delete(attempt));
  }

  /** The claim took longer than the drain, or there is no permit: its attempt has not begun, and must not count. */
  async #giveBack({ id, token }: HeldLease): Promise<void> {
    const { store, surroundings } = this.#options.runtime;
    try {
      await store.persist(() => store.settle({ id, token, outcome: { kind: "released" }, resend: false }));
    } catch (error) {
      surroundings.logger.warn("a claim could not be given back; its lease runs out by itself", {
        task: id,
        error: messageOf(error),
      });
    }
  }

  async #runCommand(delivery: Delivery, envelope: CommandEnvelope, registration: Registration): Promise<Settlement> {
    const { runtime } = this.#options;
    const contract = registration.contract as AnyCommandContract;
    const handler = registration.handler as (params: unknown, context: CommandContext) => unknown;
    try {
      return await this.#commands.handle(envelope, delivery, contract.retry, async (abort) => {
        const { timeoutMs } = contract;
        const cancelTimeout =
          timeoutMs === undefined
            ? undefined
            : runtime.surroundings.clock.schedule(timeoutMs, () =>
                abort.abort(new IntermodalError("TIMEOUT", `the attempt took longer than ${timeoutMs} ms`)),
              );
        try {
          const params = await parseWith(contract.input, envelope.data, `input of command "${contract.name}"`);
          const context = createMessageContext(runtime, { delivery, envelope, abort: abort.signal });
          await runInScope(context.scope, () => handler(params, context));
        } finally {
          cancelTimeout?.();
        }
      });
    } finally {
      this.#slots.release();
    }
  }
}
