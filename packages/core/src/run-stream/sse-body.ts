import { messageOf } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import type { Logger } from "../ports/logger.ts";
import type { RunSegment } from "./run-event.ts";
import { encodeRunEvent, encodeRunGap, encodeSseRetry, SSE_HEARTBEAT } from "./sse.ts";

/** How long browsers wait before they come back. Their own default is several seconds. */
const RECONNECT_MS = 1_000;

/** What is handed on at once of an event: so it shows that somebody reads, however long the event is. */
const SLICE_BYTES = 65_536;

const encoder = new TextEncoder();

export interface SseBodyOptions {
  readonly run: RunSegment;
  /** Starts to follow; ends when the signal aborts. */
  readonly follow: (signal: AbortSignal) => AsyncIterable<StoredRunEvent | StreamGap>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  readonly heartbeatMs: number;
  readonly maxBufferedBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A run's stream as the body of an answer. It reads ahead of the client by `maxBufferedBytes` and one event; a client that then reads nothing for a whole
 * heartbeat is cut off, and resumes by its last event id when it comes back.
 */
export function sseBody(options: SseBodyOptions): ReadableStream<Uint8Array> {
  const strategy = {
    highWaterMark: options.maxBufferedBytes,
    size: (chunk: Uint8Array | undefined) => chunk?.byteLength ?? 0,
  };
  return new ReadableStream(new FollowedRun(options), strategy);
}

class FollowedRun {
  readonly #options: SseBodyOptions;
  readonly #stop = new AbortController();
  readonly #events: AsyncIterator<StoredRunEvent | StreamGap>;
  #cancelHeartbeat: (() => void) | undefined;
  /** How full the buffer was at the last heartbeat, if it was, and nothing has been added since: who reads makes it less. */
  #fullAt: number | null | undefined;
  #cancelled = false;
  readonly #onGone = () => this.#end();

  constructor(options: SseBodyOptions) {
    this.#options = options;
    this.#events = options.follow(this.#stop.signal)[Symbol.asyncIterator]();
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    controller.enqueue(encoder.encode(encodeSseRetry(RECONNECT_MS)));
    this.#beat(controller);
    const { signal } = this.#options;
    if (signal.aborted) this.#end();
    else signal.addEventListener("abort", this.#onGone, { once: true });
  }

  /** Called only while there is room in the buffer. */
  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#fullAt = undefined;
    try {
      const { done, value } = await this.#events.next();
      if (!done && !this.#stop.signal.aborted) {
        const { run } = this.#options;
        const bytes = encoder.encode("gap" in value ? encodeRunGap(run, value) : encodeRunEvent(run, value));
        for (let from = 0; from < bytes.length; from += SLICE_BYTES)
          controller.enqueue(bytes.subarray(from, from + SLICE_BYTES));
        return;
      }
    } catch (error) {
      // The client comes back, and is told then what is wrong.
      this.#options.logger.warn("following a run's stream broke off", { error: messageOf(error) });
    }
    this.#end();
    if (!this.#cancelled) controller.close();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#end();
  }

  #beat(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#cancelHeartbeat = this.#options.clock.schedule(this.#options.heartbeatMs, () => {
      const { desiredSize } = controller;
      if ((desiredSize ?? 0) > 0) {
        controller.enqueue(encoder.encode(SSE_HEARTBEAT));
      } else if (this.#fullAt === desiredSize) {
        this.#end();
        controller.error(new Error("the client does not read: it is cut off and may resume"));
        return;
      } else {
        this.#fullAt = desiredSize;
      }
      this.#beat(controller);
    });
  }

  #end(): void {
    this.#cancelHeartbeat?.();
    this.#options.signal.removeEventListener("abort", this.#onGone);
    this.#stop.abort();
    // It may wait in the middle of a step, which the signal ends.
    void this.#events.return?.().then(undefined, () => {});
  }
}
