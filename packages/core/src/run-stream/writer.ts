import { IntermodalError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStream } from "../ports/event-stream.ts";
import type { JsonValue } from "../ports/json.ts";
import type { Logger } from "../ports/logger.ts";
import { AppendLoop, BATCH_EVENTS } from "./append-loop.ts";
import { FlushWaiters } from "./flush-waiters.ts";
import { Generations } from "./generations.ts";
import { type JsonSnapshot, snapshotJson } from "./json-snapshot.ts";
import { LossLog } from "./loss-log.ts";
import { type FlushOutcome, StreamQueue } from "./stream-queue.ts";

/** What an event takes besides its data, about. */
const EVENT_OVERHEAD = 64;
/** Streams whose numbering is remembered while nothing is written to them: between this and twice as many. */
const REMEMBERED_STREAMS = 5_000;
/** How long a flush waits for a store that failed other streams: it may answer this one. */
const DOUBT_MS = 100;

export interface RunStreamWriterOptions {
  readonly stream: EventStream;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Unique per process: with a count it names every event, so that an append whose answer was lost can be repeated. */
  readonly writer: string;
  /**
   * How many events wait for the store at most; beyond it the oldest of the stream that holds most are dropped, and counted.
   * @default 10,000
   */
  readonly maxQueuedEvents?: number | undefined;
  /**
   * The same in bytes, as estimated from the data's JSON.
   * @default 67,108,864
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * How long events are gathered before they are appended. A flush does not wait for it.
   * @default 5
   */
  readonly flushMs?: number | undefined;
  /** Told each time that events are being stored again. */
  readonly onStoredAgain?: (() => void) | undefined;
}

/**
 * Writes events to run streams, beside the tasks that emit them: bounded, in batches, in order per stream, each event once. While the store is away
 * events wait and are tried again; what does not fit is lost and counted, and never costs a task.
 */
export class RunStreamWriter {
  readonly #stream: EventStream;
  readonly #clock: Clock;
  readonly #writer: string;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #losses: LossLog;
  readonly #waiters: FlushWaiters;
  readonly #loop: AppendLoop;
  readonly #queues = new Generations<StreamQueue>(REMEMBERED_STREAMS, (queue) => !queue.isIdle);
  /** The queue that holds most, as far as is known. */
  #largest: StreamQueue | undefined;
  #queued = 0;
  #queuedBytes = 0;
  #names = 0;
  #closing: Promise<boolean> | undefined;

  constructor(options: RunStreamWriterOptions) {
    const { stream, clock, logger, flushMs = 5 } = options;
    this.#stream = stream;
    this.#clock = clock;
    this.#writer = options.writer;
    this.#maxEvents = options.maxQueuedEvents ?? 10_000;
    this.#maxBytes = options.maxQueuedBytes ?? 64 * 1024 * 1024;
    this.#losses = new LossLog(logger, options.onStoredAgain);
    this.#waiters = new FlushWaiters(clock);
    this.#loop = new AppendLoop({
      stream,
      clock,
      flushMs,
      losses: this.#losses,
      hurried: () => this.#waiters.any || this.#queued >= BATCH_EVENTS,
      newName: () => this.#newName(),
      onDone: (queue, events, bytes) => {
        this.#queued -= events;
        this.#queuedBytes -= bytes;
        this.#waiters.progress(queue);
      },
      isBehind: () => this.#queued * 2 > this.#maxEvents || this.#queuedBytes * 2 > this.#maxBytes,
    });
  }

  /** `lost`: dropped or refused since the start; `queued`: waiting for the store. */
  get stats(): { readonly lost: number; readonly queued: number } {
    return { lost: this.#losses.lost, queued: this.#queued };
  }

  /**
   * Takes an event, with its data as it is now, and returns at once. Never throws because of the store; after `close` events are dropped and counted.
   * @throws `VALIDATION_FAILED` for a CR, LF or NUL in the name; `PAYLOAD_TOO_LARGE` and `NOT_SERIALIZABLE` for data that can never be stored.
   */
  emit(streamId: string, source: string, event: string, data: JsonValue): void {
    checkEventName(event);
    const snapshot = snapshotJson(`the data of event "${event}"`, data);
    this.#checkSize(event, snapshot);
    if (this.#closing !== undefined || this.#loop.isStopped) {
      this.#losses.lost++;
      return;
    }
    const size = snapshot.size + EVENT_OVERHEAD;
    const queue = this.#queueOf(streamId);
    if (!this.#makeRoom(queue, size)) {
      this.#losses.lost++;
      queue.lost++;
      return;
    }
    queue.push({ timestamp: this.#clock.now(), source, event, data: snapshot.value, size });
    this.#queued++;
    this.#queuedBytes += size;
    if (this.#largest === undefined || queue.unsentSize > this.#largest.unsentSize) this.#largest = queue;
    this.#loop.add(queue, this.#queued >= BATCH_EVENTS);
  }

  /**
   * Waits until everything emitted so far for the stream has been stored: at most `timeoutMs`, and while the store is away or does not answer no longer than
   * that since it began, so that an outage does not slow down one task after the other.
   * @returns what has become of it: a stream that is ended while something waits loses that.
   */
  flush(streamId: string, options: { readonly timeoutMs: number }): Promise<FlushOutcome> {
    const queue = this.#queues.get(streamId);
    if (queue === undefined || queue.isIdle) return Promise.resolve(queue?.outcome ?? "stored");
    const now = this.#clock.now();
    const { waitingSince = now, inDoubt, isDown } = this.#loop;
    const patienceMs = inDoubt && !isDown && !queue.failed ? Math.min(DOUBT_MS, options.timeoutMs) : 0;
    // No longer either, should the clock have been set back since.
    const deadline = Math.max(Math.min(waitingSince, now) + options.timeoutMs, now + patienceMs);
    if (deadline <= now) return Promise.resolve("waiting");
    const outcome = this.#waiters.wait(queue, deadline);
    this.#loop.wake(true);
    return outcome;
  }

  /** Takes nothing more and stores what waits, for at most `timeoutMs`; what is left then is lost and counted. Idempotent. @returns whether all was stored. */
  close(options: { readonly timeoutMs: number }): Promise<boolean> {
    this.#closing ??= this.#close(this.#clock.now() + options.timeoutMs);
    return this.#closing;
  }

  async #close(deadline: number): Promise<boolean> {
    const busy = this.#loop.busy.filter((queue) => !queue.isIdle);
    const waits = busy.map((queue) => this.#waiters.wait(queue, deadline));
    this.#loop.wake(true);
    const outcomes = await Promise.all(waits);
    if (this.#queued > 0) this.#losses.trouble("closed", { lost: this.#queued });
    this.#loop.stop();
    return outcomes.every((outcome) => outcome === "stored");
  }

  #queueOf(streamId: string): StreamQueue {
    let queue = this.#queues.get(streamId);
    if (queue === undefined) {
      queue = new StreamQueue(streamId, this.#newName());
      this.#queues.set(streamId, queue);
    }
    return queue;
  }

  /** A name that no event has been written under: numbers begin at 1 again where a stream's were forgotten. */
  #newName(): string {
    return `${this.#writer}.${(this.#names++).toString(36)}`;
  }

  #checkSize(event: string, snapshot: JsonSnapshot): void {
    const { maxDataBytes } = this.#stream.capabilities;
    if (snapshot.size * 6 <= maxDataBytes) return;
    const bytes = new TextEncoder().encode(JSON.stringify(snapshot.value)).length;
    if (bytes <= maxDataBytes) return;
    throw new IntermodalError(
      "PAYLOAD_TOO_LARGE",
      `the data of event "${event}" has ${bytes} bytes as JSON, and the run's stream takes ${maxDataBytes}: store it elsewhere and emit where it is`,
    );
  }

  #makeRoom(queue: StreamQueue, size: number): boolean {
    while (this.#queued >= this.#maxEvents || this.#queuedBytes + size > this.#maxBytes) {
      this.#losses.trouble("overflow", { queued: this.#queued });
      const victim = this.#largest !== undefined && this.#largest.unsentCount > 0 ? this.#largest : queue;
      if (victim.unsentCount === 0) return false;
      this.#queuedBytes -= victim.dropOldest();
      this.#queued--;
      this.#losses.lost++;
      this.#waiters.progress(victim);
    }
    return true;
  }
}

function checkEventName(event: string): void {
  if (typeof event === "string" && !/[\r\n\0]/.test(event)) return;
  throw new IntermodalError(
    "VALIDATION_FAILED",
    `${JSON.stringify(event)} cannot name an event of a run's stream: it must be a text without line breaks and NUL`,
  );
}
