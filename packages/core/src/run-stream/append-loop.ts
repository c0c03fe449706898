import { isIntermodalError, messageOf } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStream } from "../ports/event-stream.ts";
import { failuresOf, mayComeBack } from "./append-failure.ts";
import type { LossLog } from "./loss-log.ts";
import type { StreamQueue } from "./stream-queue.ts";

export const BATCH_EVENTS = 1_000;
const BATCH_SIZE = 4 * 1024 * 1024;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** A store that has answered is away as a whole when it failed so many streams in a row: fewer may all belong to the same part of it. */
const STREAMS_IN_VAIN = 20;

export interface AppendLoopOptions {
  readonly stream: EventStream;
  readonly clock: Clock;
  readonly losses: LossLog;
  /** How long to gather where nobody is in a hurry. */
  readonly flushMs: number;
  /** Somebody waits for what is ready. */
  hurried(): boolean;
  /** More waits than the store has shown to take. */
  isBehind(): boolean;
  /** A name that no event has been written under. */
  newName(): string;
  /** `events` of a queue with together `size` are out of the way: stored, or lost (the queue knows how many). */
  onDone(queue: StreamQueue, events: number, size: number): void;
}

/** Appends what stands in queues, one call at a time over all streams, and repeats as it was whatever may not have arrived. */
export class AppendLoop {
  readonly #options: AppendLoopOptions;
  /** The longest waiting first. */
  #ready: StreamQueue[] = [];
  /** Those whose append failed, until the next try. */
  #parked: StreamQueue[] = [];
  #inFlight: readonly StreamQueue[] = [];
  #due = false;
  #cancelGather: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #retryMs = FIRST_RETRY_MS;
  #downSince: number | undefined;
  #startedAt: number | undefined;
  /** Streams in a row that it did not answer, each counted once. */
  #inVain = 0;
  #hasAnswered = false;
  #stopped = false;
  readonly #run = () => void this.#sendBatch();

  constructor(options: AppendLoopOptions) {
    this.#options = options;
  }

  /** Since when the store owes an answer: it went away then, or the append under way began. */
  get waitingSince(): number | undefined {
    return this.#downSince ?? this.#startedAt;
  }

  /** It has answered nobody since it failed: it may be away as a whole. */
  get inDoubt(): boolean {
    return this.#downSince !== undefined;
  }

  /** It answers nobody, as far as can be told: what is ready waits for the next try. */
  get isDown(): boolean {
    return this.#downSince !== undefined && this.#inVain >= (this.#hasAnswered ? STREAMS_IN_VAIN : 1);
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** All queues that hold something. */
  get busy(): readonly StreamQueue[] {
    return [...this.#inFlight, ...this.#parked, ...this.#ready];
  }

  /** Something was pushed to the queue. */
  add(queue: StreamQueue, now: boolean): void {
    if (!queue.listed) {
      queue.listed = true;
      this.#ready.push(queue);
    }
    this.wake(now);
  }

  /** Sends what is ready: at the end of this turn, or when enough time to gather has passed. */
  wake(now: boolean): void {
    // Whatever is under way goes on with what is ready when it ends.
    if (this.#due || this.#inFlight.length > 0 || this.#ready.length === 0 || this.#isPaused) return;
    if (now || this.#options.flushMs === 0) {
      this.#due = true;
      queueMicrotask(this.#run);
    } else {
      this.#cancelGather ??= this.#options.clock.schedule(this.#options.flushMs, this.#run);
    }
  }

  /** Sends nothing more and gives up what is queued. */
  stop(): void {
    this.#stopped = true;
    this.#cancelGather?.();
    this.#cancelRetry?.();
    const busy = this.busy;
    this.#ready = [];
    this.#parked = [];
    for (const queue of busy) this.#giveUp(queue, true);
  }

  get #isPaused(): boolean {
    return this.#stopped || (this.isDown && this.#cancelRetry !== undefined);
  }

  async #sendBatch(): Promise<void> {
    this.#due = false;
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    if (this.#inFlight.length > 0 || this.#ready.length === 0 || this.#isPaused) return;
    this.#inFlight = this.#takeBatch();
    this.#startedAt = this.#options.clock.now();
    await this.#append(this.#inFlight);
    this.#startedAt = undefined;
    this.#inFlight = [];
    this.wake(this.#options.hurried());
  }

  #takeBatch(): readonly StreamQueue[] {
    const batch: StreamQueue[] = [];
    let events = 0;
    let size = 0;
    let looked = 0;
    for (const queue of this.#ready) {
      if (events >= BATCH_EVENTS || size >= BATCH_SIZE) break;
      looked++;
      if (queue.isIdle) {
        // All that it held was dropped.
        queue.listed = false;
        continue;
      }
      // What was on its way when an append failed goes again exactly as it was.
      if (queue.sending === undefined) queue.take(BATCH_EVENTS - events, BATCH_SIZE - size);
      events += queue.sending?.length ?? 0;
      size += queue.sendingSize;
      batch.push(queue);
    }
    this.#ready = this.#ready.slice(looked);
    return batch;
  }

  /** Never rejects. */
  async #append(batch: readonly StreamQueue[]): Promise<void> {
    if (this.#stopped || batch.length === 0) return;
    try {
      await this.#options.stream.append(
        batch.map((queue) => ({ streamId: queue.streamId, events: queue.sending ?? [] })),
      );
      this.#settle(batch, undefined);
    } catch (error) {
      const failures = failuresOf(error);
      if (failures !== undefined || batch.length === 1 || mayComeBack(error) || isIntermodalError(error, "CLOSED")) {
        this.#settle(batch, failures ?? batch.map(() => error));
        return;
      }
      // One of them is at fault: find out which, unless the store goes away meanwhile.
      for (const [at, queue] of batch.entries()) {
        await this.#append([queue]);
        if (!this.#parked.includes(queue)) continue;
        for (const other of batch.slice(at + 1)) this.#park(other);
        return;
      }
    }
  }

  #settle(batch: readonly StreamQueue[], failures: readonly unknown[] | undefined): void {
    if (this.#stopped) return;
    // Those that fail again say nothing about the others: a part of the store may be away.
    const first = batch.filter((queue) => !queue.failed).length;
    let parked = 0;
    let refused = 0;
    batch.forEach((queue, index) => {
      const failure = failures?.[index];
      if (failure === undefined) this.#stored(queue);
      else if (mayComeBack(failure)) {
        parked++;
        this.#park(queue);
      } else {
        // Of a run that has ended: the store is well.
        if (!isIntermodalError(failure, "STREAM_ENDED")) refused++;
        this.#refused(queue, failure);
      }
    });
    if (this.#stopped) return;
    if (parked < batch.length) {
      this.#downSince = undefined;
      this.#retryMs = FIRST_RETRY_MS;
      this.#hasAnswered = true;
      this.#inVain = 0;
    } else if (first > 0) {
      this.#downSince ??= this.#options.clock.now();
      this.#inVain += first;
    }
    if (parked > 0) {
      this.#options.losses.trouble("unavailable", { error: messageOf(failures?.find(mayComeBack)) });
      this.#retryLater();
    } else if (refused === 0 && this.#parked.length === 0 && !this.#options.isBehind()) {
      this.#options.losses.well();
    }
  }

  #park(queue: StreamQueue): void {
    queue.failed = true;
    this.#parked.push(queue);
  }

  #retryLater(): void {
    if (this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#options.clock.schedule(this.#retryMs, () => {
      this.#cancelRetry = undefined;
      this.#ready = [...this.#parked, ...this.#ready];
      this.#parked = [];
      this.wake(true);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #stored(queue: StreamQueue): void {
    const events = queue.sending?.length ?? 0;
    queue.stored();
    this.#relist(queue);
    this.#options.onDone(queue, events, queue.sendingSize);
  }

  #refused(queue: StreamQueue, failure: unknown): void {
    if (isIntermodalError(failure, "CLOSED")) {
      this.#options.losses.trouble("refused", { error: messageOf(failure) });
      this.stop();
      return;
    }
    const ended = isIntermodalError(failure, "STREAM_ENDED");
    // Writing to a run that has just ended is nobody's fault: it is counted, no more.
    if (!ended) this.#options.losses.trouble("refused", { streamId: queue.streamId, error: messageOf(failure) });
    this.#giveUp(queue, ended);
  }

  /** Gives up what is on its way, and what waits behind it if that can't be stored either. */
  #giveUp(queue: StreamQueue, all: boolean): void {
    let events = queue.sending?.length ?? 0;
    let size = queue.sending === undefined ? 0 : queue.sendingSize;
    queue.refused(this.#options.newName());
    while (all && queue.unsentCount > 0) {
      size += queue.dropOldest();
      events++;
    }
    this.#options.losses.lost += events;
    this.#relist(queue);
    this.#options.onDone(queue, events, size);
  }

  #relist(queue: StreamQueue): void {
    queue.listed = queue.unsentCount > 0 && !this.#stopped;
    if (queue.listed) this.#ready.push(queue);
  }
}
