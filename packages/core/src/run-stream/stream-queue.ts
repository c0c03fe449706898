import type { NewRunEvent } from "../ports/event-stream.ts";
import type { JsonValue } from "../ports/json.ts";
import type { Rostered } from "../roster.ts";

/** An event that has been emitted and has no number yet, so that it can still be dropped without a trace in the numbering. */
export interface UnsentEvent {
  readonly timestamp: number;
  readonly source: string;
  readonly event: string;
  readonly data: JsonValue;
  readonly size: number;
}

/** What has become of all that was emitted up to a moment: `lost` where nothing of it waits any more and some of it was not stored. */
export type FlushOutcome = "stored" | "lost" | "waiting";

/** Who waits until what was emitted so far has been stored. */
export interface FlushWaiter {
  readonly upTo: number;
  readonly deadline: number;
  readonly resolve: (outcome: FlushOutcome) => void;
}

/** What one process has yet to write to one stream, in order. */
export class StreamQueue implements Rostered {
  readonly streamId: string;
  /** Numbered and on their way, perhaps stored already: repeated exactly so until the answer is known. */
  sending: readonly NewRunEvent[] | undefined;
  sendingSize = 0;
  unsentSize = 0;
  /** Stands in the writer's list of those to be sent. */
  listed = false;
  /** The latest append of what is on its way has failed, and is to be repeated. */
  failed = false;
  lost = 0;
  waiters: FlushWaiter[] = [];
  /** Among the queues that somebody waits for. */
  place = -1;
  #writer: string;
  #n = 0;
  #unsent: UnsentEvent[] = [];
  #head = 0;
  #emitted = 0;
  #sendingAfter = 0;

  constructor(streamId: string, writer: string) {
    this.streamId = streamId;
    this.#writer = writer;
  }

  get unsentCount(): number {
    return this.#unsent.length - this.#head;
  }

  get isIdle(): boolean {
    return this.sending === undefined && this.#unsent.length === this.#head;
  }

  /** How many events have been emitted so far. */
  get emitted(): number {
    return this.#emitted;
  }

  /** How many of the events emitted first are out of the way: stored or lost. */
  get done(): number {
    return this.sending === undefined ? this.#emitted - this.unsentCount : this.#sendingAfter;
  }

  /** What has become of what is done. */
  get outcome(): FlushOutcome {
    return this.lost === 0 ? "stored" : "lost";
  }

  push(event: UnsentEvent): void {
    this.#unsent.push(event);
    this.unsentSize += event.size;
    this.#emitted++;
  }

  /** Drops the oldest event that has no number yet. @returns its size. */
  dropOldest(): number {
    const dropped = this.#unsent[this.#head];
    if (dropped === undefined) return 0;
    this.#advance(1);
    this.unsentSize -= dropped.size;
    this.lost++;
    return dropped.size;
  }

  /** Numbers the oldest unsent events, as many as fit (at least one), and makes them `sending`. */
  take(maxEvents: number, maxSize: number): void {
    this.#sendingAfter = this.#emitted - this.unsentCount;
    const sending: NewRunEvent[] = [];
    this.sendingSize = 0;
    for (let index = this.#head; index < this.#unsent.length && sending.length < maxEvents; index++) {
      const { timestamp, source, event, data, size } = this.#unsent[index] as UnsentEvent;
      if (sending.length > 0 && this.sendingSize + size > maxSize) break;
      this.sendingSize += size;
      sending.push({ writer: this.#writer, n: ++this.#n, timestamp, source, event, data });
    }
    this.unsentSize -= this.sendingSize;
    this.#advance(sending.length);
    this.sending = sending;
  }

  stored(): void {
    this.sending = undefined;
    this.failed = false;
  }

  /** Gives up what is on its way, and goes on under another name: its numbers were never used. */
  refused(writer: string): void {
    this.lost += this.sending?.length ?? 0;
    this.sending = undefined;
    this.failed = false;
    this.#writer = writer;
    this.#n = 0;
  }

  #advance(count: number): void {
    this.#head += count;
    if (this.#head === this.#unsent.length) {
      this.#unsent = [];
      this.#head = 0;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#unsent.length) {
      this.#unsent = this.#unsent.slice(this.#head);
      this.#head = 0;
    }
  }
}
