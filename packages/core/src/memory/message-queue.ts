import type { Clock } from "../ports/clock.ts";
import type { QueueInspection } from "../ports/command-bus.ts";
import type { Settlement } from "../ports/delivery.ts";
import { Consumer, type ConsumerClient, type ConsumerQueue } from "./consumer.ts";
import { DeadLetterBox } from "./dead-letter-box.ts";
import { Delays } from "./delays.ts";
import { Fifo } from "./fifo.ts";
import { Leases } from "./leases.ts";
import { type MessageSource, StoredMessage } from "./stored-message.ts";

export interface MessageQueueOptions {
  readonly clock: Clock;
  readonly source: MessageSource;
  readonly leaseMs: number;
  readonly maxDeadLetters: number;
  /** Messages that may wait to be delivered again; one more is dead-lettered instead. */
  readonly maxWaitingAgain: number;
}

/** The server's side of one queue or one listener: what waits, what is in flight, delayed or dead, and who consumes. */
export class MessageQueue implements ConsumerQueue {
  readonly dead: DeadLetterBox;
  readonly #clock: Clock;
  readonly #maxWaitingAgain: number;
  readonly #source: MessageSource;
  /** Delivered or delayed before, and ready now. */
  readonly #again = new Fifo<StoredMessage>();
  #againFirst = false;
  readonly #delays: Delays;
  readonly #leases: Leases;
  readonly #consumers = new Set<Consumer>();
  /** Consumers with free slots, each in turn. */
  readonly #idle = new Fifo<Consumer>();
  /** Missed while nobody was there to be told. */
  #untold = 0;
  #forgotten = false;

  constructor({ clock, source, leaseMs, maxDeadLetters, maxWaitingAgain }: MessageQueueOptions) {
    this.#clock = clock;
    this.#source = source;
    this.#maxWaitingAgain = maxWaitingAgain;
    this.dead = new DeadLetterBox(maxDeadLetters);
    this.#delays = new Delays(clock, (due) => this.#takeBack(due));
    this.#leases = new Leases(clock, leaseMs, (expired) => {
      for (const message of expired) if (!message.left) message.attempts++;
      this.#takeBack(expired);
    });
  }

  /** Everything that is neither in flight nor dead. */
  get waiting(): number {
    return this.#source.length + this.#again.length + this.#delays.size;
  }

  inspect(): QueueInspection {
    let inFlight = this.#leases.size;
    for (const consumer of this.#consumers) inFlight += consumer.onTheWay;
    const ready = this.#source.length + this.#again.length;
    return { ready, inFlight, delayed: this.#delays.size, dead: this.dead.size };
  }

  subscribe(client: ConsumerClient): Consumer {
    const consumer = new Consumer(this, client);
    this.#consumers.add(consumer);
    if (this.#untold > 0) {
      consumer.addMissed(this.#untold);
      this.#untold = 0;
    }
    return consumer;
  }

  unsubscribe(consumer: Consumer, untaken: Fifo<StoredMessage>, missed: number): void {
    if (!this.#consumers.delete(consumer) || this.#forgotten) return;
    for (let turns = this.#idle.length; turns > 0; turns--) {
      const idle = this.#idle.shift() as Consumer;
      if (idle !== consumer) this.#idle.push(idle);
    }
    for (let message = untaken.shift(); message !== undefined; message = untaken.shift()) this.#again.push(message);
    if (missed > 0) this.tellMissed(missed);
    this.pump();
  }

  /** Removes all consumers behind their clients' backs. */
  removeConsumers(): void {
    for (const consumer of [...this.#consumers]) consumer.remove();
  }

  /** Gives it up with all it holds: what is still settled is ignored. */
  forget(): void {
    this.#forgotten = true;
    this.#leases.clear();
    this.#delays.clear();
    this.#again.clear();
    this.#idle.clear();
    this.removeConsumers();
  }

  /** Tells one consumer how many messages went before this queue could get them; the next to come, where there is none. */
  tellMissed(count: number): void {
    const [consumer] = this.#consumers;
    if (consumer === undefined) this.#untold += count;
    else consumer.addMissed(count);
  }

  offer(consumer: Consumer): void {
    this.#idle.push(consumer);
  }

  /** Gives what is ready to those with free slots, one each in turn. */
  pump(): void {
    for (let consumer = this.#idle.at(0); consumer !== undefined; consumer = this.#idle.at(0)) {
      const message = this.#next();
      if (message === undefined) return;
      this.#idle.shift();
      if (consumer.give(message)) this.#idle.push(consumer);
    }
  }

  /** Alternates between new messages and those that come again, so that neither holds up the other. */
  #next(): StoredMessage | undefined {
    this.#againFirst = !this.#againFirst;
    if (this.#againFirst) return this.#again.shift() ?? this.#source.shift();
    return this.#source.shift() ?? this.#again.shift();
  }

  delay(message: StoredMessage, delayMs: number): void {
    message.body = message.body.slice();
    this.#delays.add(message, delayMs);
  }

  hold(message: StoredMessage): void {
    this.#leases.hold(message);
  }

  /** @returns whether the delivery with this tag still holds the message. */
  renew(message: StoredMessage, tag: number): boolean {
    if (!this.#leases.holds(message, tag)) return false;
    this.#leases.renew(message);
    return true;
  }

  /** Does what the holder of a delivery decided, unless it has lost the message. What becomes ready waits for {@link pump}. */
  settle(message: StoredMessage, tag: number, settlement: Settlement): void {
    if (!this.#leases.holds(message, tag)) return;
    if (settlement.kind === "leave") {
      message.left = true;
      return;
    }
    this.#leases.release(message);
    if (settlement.kind === "dead-letter") this.#putAside(message, settlement.reason, settlement.attempts);
    else if (settlement.kind === "retry") this.#tryAgain(message, settlement.delayMs, settlement.counted);
  }

  #tryAgain(message: StoredMessage, delayMs: number, counted: boolean): void {
    if (this.#again.length + this.#delays.size >= this.#maxWaitingAgain) {
      this.#putAside(message, `${this.#maxWaitingAgain} others were waiting to be delivered again`);
      return;
    }
    if (counted) message.attempts++;
    if (delayMs > 0) this.delay(message, delayMs);
    else this.#again.push(message);
  }

  #putAside(message: StoredMessage, reason: string, attempts = message.attempts + 1): void {
    const { id, type } = message;
    const body = message.body.slice();
    this.dead.add({ id, type, body, reason, attempts, deadAt: this.#clock.now() });
  }

  #takeBack(messages: readonly StoredMessage[]): void {
    for (const message of messages) this.#again.push(message);
    this.pump();
  }

  /** Delivers dead letters again, as new messages. @returns how many were there. */
  replay(deadLetterIds: readonly string[]): number {
    const now = this.#clock.now();
    const messages = this.dead.take(deadLetterIds).map(({ id, type, body }) => new StoredMessage(id, type, body, now));
    this.#takeBack(messages);
    return messages.length;
  }
}
