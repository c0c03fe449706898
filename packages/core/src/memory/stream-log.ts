import { eventForgotten, invalidCursor, streamEnded } from "../adapter/run-events.ts";
import type { NewRunEvent, StoredRunEvent, StreamPage } from "../ports/event-stream.ts";
import { WriterLog } from "./writer-log.ts";

const NOBODY: WriterLog[] = [];

/** One stream's events, the newest of them kept. */
export class StreamLog {
  readonly streamId: string;
  /** Tells streams of the same id apart, one of which came after the other had expired. */
  readonly generation: number;
  expiresAt: number;
  readonly #maxEvents: number;
  /** The kept events begin at `#start`; before that stand holes, until they are many. */
  #events: (StoredRunEvent | undefined)[] = [];
  #start = 0;
  #last = 0;
  #ended = false;
  /** Few as a rule: one for each process that wrote. */
  #writers: WriterLog[] = NOBODY;
  #pruneWritersAt: number;

  constructor(streamId: string, generation: number, expiresAt: number, maxEvents: number) {
    this.streamId = streamId;
    this.generation = generation;
    this.expiresAt = expiresAt;
    this.#maxEvents = maxEvents;
    this.#pruneWritersAt = maxEvents;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get last(): number {
    return this.#last;
  }

  get #first(): number {
    return this.#last - (this.#events.length - this.#start) + 1;
  }

  /**
   * Stores those of the events that it does not have yet, one after the other.
   * @returns the sequence of each.
   * @throws `STREAM_ENDED`; `CONFLICT` for a repeated event of which nothing is known any more but that it was there.
   */
  append(events: readonly NewRunEvent[]): number[] {
    if (this.#ended && !events.every((event) => this.#find(event) !== undefined)) throw streamEnded(this.streamId);
    return events.map((event) => this.#find(event) ?? this.#store(event));
  }

  /** Ends the stream with this event; @returns false when it had ended already. */
  finish(event: NewRunEvent): boolean {
    if (this.#ended) return false;
    this.append([event]);
    this.#ended = true;
    // Nothing more will come: it is kept for long, with no room to grow.
    this.#events = this.#events.slice(this.#start);
    this.#start = 0;
    this.#writers = this.#writers.slice();
    return true;
  }

  /** @throws `CURSOR_INVALID`. */
  read(after: number, limit: number): StreamPage {
    const { last, ended } = this;
    if (after > last) throw invalidCursor(this.streamId, after, last);
    const first = this.#first;
    const from = Math.max(after + 1, first);
    const start = this.#start + (from - first);
    const events = this.#events.slice(start, start + limit) as StoredRunEvent[];
    return after + 1 < first
      ? { events, gap: { from: after + 1, to: first - 1 }, last, ended }
      : { events, last, ended };
  }

  #find(event: NewRunEvent): number | undefined {
    const sequence = this.#writerLog(event.writer)?.find(event.n);
    if (sequence === 0) throw eventForgotten(event);
    return sequence;
  }

  #store({ writer, n, timestamp, source, event, data }: NewRunEvent): number {
    const { streamId } = this;
    const sequence = ++this.#last;
    this.#events.push(Object.freeze({ streamId, sequence, timestamp, source, event, data }));
    if (this.#events.length - this.#start > this.#maxEvents) this.#dropFirst();
    (this.#writerLog(writer) ?? this.#addWriter(writer)).add(n, sequence, this.#first);
    return sequence;
  }

  #dropFirst(): void {
    this.#events[this.#start++] = undefined;
    if (this.#start <= this.#maxEvents) return;
    this.#events = this.#events.slice(this.#start);
    this.#start = 0;
  }

  #writerLog(writer: string): WriterLog | undefined {
    return this.#writers.findLast((log) => log.writer === writer);
  }

  #addWriter(writer: string): WriterLog {
    if (this.#writers.length >= this.#pruneWritersAt) this.#pruneWriters();
    const log = new WriterLog(writer);
    // There is one for most of a stream's life: an array that is made with it holds no room for others.
    if (this.#writers.length === 0) this.#writers = [log];
    else this.#writers.push(log);
    return log;
  }

  /** Writers of which no event is kept are not known any longer: there are never many more writers than events. */
  #pruneWriters(): void {
    this.#writers = this.#writers.filter((log) => log.lastSequence >= this.#first);
    this.#pruneWritersAt = this.#writers.length + this.#maxEvents;
  }
}
