import { IntermodalError, isIntermodalError, messageOf } from "../errors.ts";
import type { Duty, TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { CommandBus, OutgoingCommand } from "../ports/command-bus.ts";
import type { EventBus, OutgoingEvent } from "../ports/event-bus.ts";
import type { EventStream, StreamFinish } from "../ports/event-stream.ts";
import type { Inbox } from "../ports/inbox.ts";
import type { Logger } from "../ports/logger.ts";
import type { RateLimiter } from "../ports/rate-limiter.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import type {
  ChildEnd,
  Claim,
  ClaimOutcome,
  CreateOutcome,
  Renewal,
  RenewOutcome,
  Reservation,
  ReserveOutcome,
  SendMark,
  Settle,
  SettleOutcome,
  TaskStateStore,
} from "../ports/task-state-store.ts";
import { RunStreamWriter } from "../run-stream/writer.ts";
import type { EventCodec } from "../wire/codecs.ts";
import { Hindrances } from "../worker/hindrances.ts";
import { EndWaiter } from "../workflow/waiter.ts";
import { Batcher, LazyBatch } from "./batcher.ts";
import type { LifecycleEmitter, LifecycleName } from "./notifications.ts";

/** The ports an app has been given. */
export interface Ports {
  readonly commandBus: CommandBus;
  readonly eventBus: EventBus;
  readonly taskStateStore?: TaskStateStore | undefined;
  readonly eventStream?: EventStream | undefined;
  readonly scheduleStore?: ScheduleStore | undefined;
  readonly rateLimiter?: RateLimiter | undefined;
  readonly inbox?: Inbox | undefined;
}

/** What everything in an app shares: who it is, its clock, and how patient it is. */
export interface Surroundings {
  readonly name: string;
  readonly namespace: string;
  /** Names this process. */
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: LifecycleEmitter;
  readonly codec: EventCodec;
  readonly settings: Settings;
  /** External copies of notifications: which, and of which types of tasks. */
  bridge: Bridge | undefined;
}

export interface Settings {
  readonly taskLeaseMs: number;
  readonly sweepIntervalMs: number;
  readonly sweepGraceMs: number;
  readonly schedulePollMs: number;
  readonly scheduleGraceMs: number;
  readonly unknownTypeMaxAgeMs: number;
  readonly unknownTypeDelayMs: number;
  readonly streamTtlMs: number;
  readonly inboxWindowMs: number;
  readonly pollIntervalMs: number;
  readonly streamFlushTimeoutMs: number;
}

export interface Bridge {
  readonly notifications: ReadonlySet<LifecycleName>;
  /** All types when absent. */
  readonly types: ReadonlySet<string> | undefined;
}

/** An attempt that runs here, as those see it who want it to stop. */
export interface RunningAttempt {
  readonly record: TaskRecord;
  cancel(): void;
}

/** Waits between tries while a server is away. */
const RETRY_DELAYS_MS = [50, 100, 200, 500, 1_000, 2_000, 5_000];

const LAZY_WRITE_MS = 50;

/** The ports with everything batched, once they are known. */
export class Runtime {
  readonly surroundings: Surroundings;
  readonly ports: Ports;
  readonly writer: RunStreamWriter | undefined;
  /** Attempts that run in this process, by worker of a queue. */
  readonly running: Iterable<RunningAttempt>[] = [];
  /** Tasks that this process may have claimed: the answer was lost, and the store has not been asked again. */
  readonly unanswered = new Set<string>();
  /** Duties whose server was still away after the last one that was patient with it. */
  readonly hindered: Hindrances;
  /** Tasks that have ended while their runs' streams could not be: the store of those was away. */
  readonly unended = new Map<string, TaskRecord>();
  readonly #store: TaskStore | undefined;
  readonly #send: Batcher<OutgoingCommand, void>;
  readonly #publish: Batcher<OutgoingEvent, void>;
  readonly #finish: Batcher<StreamFinish, void>;

  /** @param onStoredAgain Told each time that the store of run streams is back. */
  constructor(surroundings: Surroundings, ports: Ports, onStoredAgain: (runtime: Runtime) => void) {
    this.surroundings = surroundings;
    this.ports = ports;
    const { clock, logger, node } = surroundings;
    this.hindered = new Hindrances(clock);
    this.writer =
      ports.eventStream &&
      new RunStreamWriter({
        stream: ports.eventStream,
        clock,
        logger,
        writer: node,
        onStoredAgain: () => onStoredAgain(this),
      });
    this.#store = ports.taskStateStore && new TaskStore(ports.taskStateStore, surroundings);
    this.#send = new Batcher<OutgoingCommand, void>(clock, async (commands) => {
      await ports.commandBus.send(commands);
      return [];
    });
    this.#finish = new Batcher<StreamFinish, void>(clock, async (finishes) => {
      await ports.eventStream?.finish(finishes);
      return [];
    });
    this.#publish = new Batcher<OutgoingEvent, void>(clock, async (events) => {
      await ports.eventBus.publish(events);
      return [];
    });
  }

  /** Whether an attempt at the task runs in this process. */
  runs(id: string): boolean {
    return this.running.some((attempts) => [...attempts].some(({ record }) => record.id === id));
  }

  /** Tells the attempt at the task that runs in this process, if one does, that it is to stop. */
  cancelHere(id: string): void {
    for (const attempts of this.running) {
      for (const attempt of attempts) if (attempt.record.id === id) attempt.cancel();
    }
  }

  /** Ends a run's stream. */
  finishStream(finish: StreamFinish): Promise<void> {
    return this.#finish.add(finish);
  }

  /** @throws `PORT_MISSING`. */
  get store(): TaskStore {
    if (this.#store !== undefined) return this.#store;
    throw new IntermodalError(
      "PORT_MISSING",
      "tasks need a task state store that every worker of the command bus shares: set INTERMODAL_STATE (or `state` in createApp) to one; memory: serves only commands that go over the same memory:, unless `singleProcess` says that nobody else works",
    );
  }

  get hasStore(): boolean {
    return this.#store !== undefined;
  }

  send(command: OutgoingCommand): Promise<void> {
    return this.#send.add(command);
  }

  publish(event: OutgoingEvent): Promise<void> {
    return this.#publish.add(event);
  }

  /** Writes what has been gathered, and lets go. */
  async close(options: { readonly timeoutMs: number }): Promise<void> {
    await this.writer?.close(options);
    await this.#store?.close();
  }
}

/** The task state store, each call gathered into its port's batches. */
export class TaskStore {
  readonly port: TaskStateStore;
  readonly waiter: EndWaiter;
  readonly #surroundings: Surroundings;
  readonly #create: Batcher<TaskDraft & { readonly tombstone?: boolean }, CreateOutcome>;
  readonly #get: Batcher<string, TaskRecord | undefined>;
  readonly #claim: Batcher<Claim, ClaimOutcome>;
  readonly #renew: Batcher<Renewal, RenewOutcome>;
  readonly #reserve: Batcher<Reservation, ReserveOutcome>;
  readonly #settle: Batcher<Settle, SettleOutcome>;
  readonly #childEnded: Batcher<ChildEnd, TaskRecord | undefined>;
  readonly #sent: LazyBatch<SendMark>;
  readonly #done: LazyBatch<{ readonly id: string; readonly series: number; readonly duties: readonly Duty[] }>;

  constructor(port: TaskStateStore, surroundings: Surroundings) {
    this.port = port;
    this.#surroundings = surroundings;
    const { clock, logger } = surroundings;
    this.waiter = new EndWaiter(port, clock, surroundings.settings.pollIntervalMs);
    this.#create = new Batcher(clock, (drafts) => port.create(drafts));
    this.#get = new Batcher(clock, (ids) => port.get(ids));
    this.#claim = new Batcher(clock, (claims) => port.claim(claims));
    this.#renew = new Batcher(clock, (renewals) => port.renew(renewals));
    this.#reserve = new Batcher(clock, (reservations) => port.reserve(reservations));
    this.#settle = new Batcher(clock, (settles) => port.settle(settles));
    this.#childEnded = new Batcher(clock, (ends) => port.childEnded(ends));
    const dropped = (error: unknown) =>
      logger.debug("a note to the task state store was lost; the sweep will mend it", { error: messageOf(error) });
    this.#sent = new LazyBatch(clock, LAZY_WRITE_MS, (marks) => port.markSent(marks), dropped);
    this.#done = new LazyBatch(clock, LAZY_WRITE_MS, (done) => port.dutiesDone(done), dropped);
  }

  create(draft: TaskDraft & { readonly tombstone?: boolean }): Promise<CreateOutcome> {
    return this.#create.add(draft);
  }

  get(id: string): Promise<TaskRecord | undefined> {
    return this.#get.add(id);
  }

  claim(claim: Claim): Promise<ClaimOutcome> {
    return this.#claim.add(claim);
  }

  renew(renewal: Renewal): Promise<RenewOutcome> {
    return this.#renew.add(renewal);
  }

  reserve(reservation: Reservation): Promise<ReserveOutcome> {
    return this.#reserve.add(reservation);
  }

  settle(settle: Settle): Promise<SettleOutcome> {
    return this.#settle.add(settle);
  }

  childEnded(end: ChildEnd): Promise<TaskRecord | undefined> {
    return this.#childEnded.add(end);
  }

  /** Notes, soon, that a send arrived. */
  noteSent(mark: SendMark): void {
    this.#sent.add(mark);
  }

  /** Notes, soon, that duties were done. */
  noteDone(record: TaskRecord, duties: readonly Duty[]): void {
    this.#done.add({ id: record.id, series: record.series, duties });
  }

  flush(): Promise<unknown> {
    return Promise.all([this.#sent.flush(), this.#done.flush()]);
  }

  async close(): Promise<void> {
    this.waiter.close();
    await this.flush();
  }

  /**
   * Repeats a step while the store is away or lets nobody in, for as long as it takes: what a worker has begun it has to bring to its end. `onLostAnswer` is called when the
   * effect of a try may have happened; what has only `begins` is not tried again where nobody is let in.
   * @throws whatever is neither `UNAVAILABLE` nor `CONFIG_INVALID`; the signal's reason.
   */
  async persist<T>(
    step: () => Promise<T>,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly begins?: boolean;
      readonly onLostAnswer?: () => void;
    } = {},
  ): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await step();
      } catch (error) {
        const maySucceed =
          isIntermodalError(error, "UNAVAILABLE") ||
          (isIntermodalError(error, "CONFIG_INVALID") && options.begins !== true);
        if (!maySucceed) throw error;
        if (error.unknown) options.onLostAnswer?.();
        if (failures === 0)
          this.#surroundings.logger.warn("the task state store cannot be reached; trying on", {
            error: messageOf(error),
          });
        await sleep(
          this.#surroundings.clock,
          RETRY_DELAYS_MS[Math.min(failures, RETRY_DELAYS_MS.length - 1)] as number,
          options.signal,
        );
        options.signal?.throwIfAborted();
      }
    }
  }
}
