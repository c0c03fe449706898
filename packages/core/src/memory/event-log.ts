import type { Clock } from "../ports/clock.ts";
import type { ListenOptions, OutgoingEvent } from "../ports/event-bus.ts";
import { Fifo } from "./fifo.ts";
import { MessageQueue } from "./message-queue.ts";
import { RecentIds } from "./recent-ids.ts";
import { type MessageSource, StoredMessage } from "./stored-message.ts";

interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly body: Uint8Array;
  readonly sentAt: number;
  /** Order over all types. */
  readonly position: number;
}

/** The events of one type that are kept, and the listeners that want them. */
class TypeLog {
  readonly kept = new Fifo<StoredEvent>();
  /** How many were trimmed so far: the index of the first that is kept. */
  trimmed = 0;
  readonly listeners = new Set<MessageQueue>();

  get end(): number {
    return this.trimmed + this.kept.length;
  }

  trimOldest(): void {
    this.kept.shift();
    this.trimmed++;
  }
}

export interface EventLogOptions {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly maxEvents: number;
  readonly maxDeadLetters: number;
  readonly dedupeWindowMs: number;
}

/** The events of one namespace, kept once for all of its listeners. Beyond `maxEvents` the oldest are trimmed. */
export class EventLog {
  readonly #options: EventLogOptions;
  readonly #recent: RecentIds;
  readonly #types = new Map<string, TypeLog>();
  /** The log of each kept event, the oldest first. */
  readonly #order = new Fifo<TypeLog>();
  #lastPosition = 0;
  readonly #listeners = new Map<string, { readonly queue: MessageQueue; readonly source: ListenerSource }>();

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#recent = new RecentIds(options.dedupeWindowMs);
  }

  /** Keeps an event for every listener; {@link deliver} follows. An id that was seen within the window is passed over. */
  add(event: OutgoingEvent, now: number): void {
    if (this.#recent.seen(event.id, now)) return;
    const log = this.#log(event.type);
    const { id, type } = event;
    log.kept.push({ id, type, body: event.body.slice(), sentAt: now, position: this.#lastPosition++ });
    this.#order.push(log);
    if (this.#order.length > this.#options.maxEvents) this.#order.shift()?.trimOldest();
  }

  /** Gives those types' listeners what is new. */
  deliver(types: Iterable<string>): void {
    for (const type of types) {
      for (const queue of this.#types.get(type)?.listeners ?? []) queue.pump();
    }
  }

  /** A listener's durable, made if it is new. Types it did not have before count from now on. */
  listener(key: string, options: Pick<ListenOptions, "types" | "from">): MessageQueue {
    const known = this.#listeners.get(key);
    const source = known?.source ?? new ListenerSource((count) => queue.tellMissed(count));
    const queue: MessageQueue =
      known?.queue ??
      new MessageQueue({
        clock: this.#options.clock,
        leaseMs: this.#options.leaseMs,
        source,
        maxDeadLetters: this.#options.maxDeadLetters,
        maxWaitingAgain: this.#options.maxEvents,
      });
    const fromStart = known === undefined && options.from === "earliest";
    const wanted = new Set(options.types);
    for (const log of source.retain(wanted)) log.listeners.delete(queue);
    for (const type of wanted) {
      const log = this.#log(type);
      if (log.listeners.has(queue)) continue;
      log.listeners.add(queue);
      source.add(type, log, fromStart ? log.trimmed : log.end);
    }
    this.#listeners.set(key, { queue, source });
    return queue;
  }

  find(key: string): MessageQueue | undefined {
    return this.#listeners.get(key)?.queue;
  }

  forget(key: string): void {
    const listener = this.#listeners.get(key);
    if (listener === undefined) return;
    this.#listeners.delete(key);
    for (const log of listener.source.retain(new Set())) log.listeners.delete(listener.queue);
    listener.queue.forget();
  }

  /** Trims everything published so far. */
  trim(): void {
    for (let log = this.#order.shift(); log !== undefined; log = this.#order.shift()) log.trimOldest();
    for (const { source } of this.#listeners.values()) source.skipTrimmed();
  }

  #log(type: string): TypeLog {
    let log = this.#types.get(type);
    if (log === undefined) {
      log = new TypeLog();
      this.#types.set(type, log);
    }
    return log;
  }
}

interface Cursor {
  readonly log: TypeLog;
  /** The index of the next event to take. */
  next: number;
}

/** What one listener has not taken from the log yet. */
class ListenerSource implements MessageSource {
  readonly #cursors = new Map<string, Cursor>();
  readonly #onMissed: (count: number) => void;

  constructor(onMissed: (count: number) => void) {
    this.#onMissed = onMissed;
  }

  get length(): number {
    let length = 0;
    for (const { log, next } of this.#cursors.values()) length += log.end - Math.max(next, log.trimmed);
    return length;
  }

  add(type: string, log: TypeLog, next: number): void {
    this.#cursors.set(type, { log, next });
  }

  /** Drops all other types. @returns their logs. */
  retain(types: ReadonlySet<string>): readonly TypeLog[] {
    const dropped: TypeLog[] = [];
    for (const [type, cursor] of this.#cursors) {
      if (types.has(type)) continue;
      this.#cursors.delete(type);
      dropped.push(cursor.log);
    }
    return dropped;
  }

  /** The oldest event of any of its types. */
  shift(): StoredMessage | undefined {
    this.skipTrimmed();
    let oldest: Cursor | undefined;
    let event: StoredEvent | undefined;
    for (const cursor of this.#cursors.values()) {
      const candidate = cursor.log.kept.at(cursor.next - cursor.log.trimmed);
      if (candidate === undefined || (event !== undefined && event.position < candidate.position)) continue;
      oldest = cursor;
      event = candidate;
    }
    if (oldest === undefined || event === undefined) return undefined;
    oldest.next++;
    return new StoredMessage(event.id, event.type, event.body, event.sentAt);
  }

  /** Moves past what was trimmed before it could be taken, and tells how much that was. */
  skipTrimmed(): void {
    let missed = 0;
    for (const cursor of this.#cursors.values()) {
      missed += Math.max(0, cursor.log.trimmed - cursor.next);
      cursor.next = Math.max(cursor.next, cursor.log.trimmed);
    }
    if (missed > 0) this.#onMissed(missed);
  }
}
