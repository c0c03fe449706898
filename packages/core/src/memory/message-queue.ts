import type { Clock } from "../ports/clock.ts";
import type { QueueInspection } from "../ports/command-bus.ts";
import type { Settlement } from "../ports/delivery.ts";
import { DeadLetterBox } from "./dead-letter-box.ts";
import { Fifo } from "./fifo.ts";
import { TimedHeap } from "./timed-heap.ts";

/** A message as one queue or listener holds it. */
export class StoredMessage {
  readonly id: string;
  readonly type: string;
  readonly body: Uint8Array;
  readonly sentAt: number;
  /** Tries that count so far. */
  attempts = 0;
  /** Names the latest delivery: whoever holds an older one has lost the message. */
  tag = 0;
  /** Its place among those in flight; -1 elsewhere. */
  place = -1;
  leaseUntil = 0;
  /** Its holder said `leave`: the end of the lease is not the death of a holder. */
  left = false;

  constructor(id: string, type: string, body: Uint8Array, sentAt: number) {
    this.id = id;
    this.type = type;
    this.body = body;
    this.sentAt = sentAt;
  }
}

/** Where the messages of a queue come from that have not been delivered yet. */
export interface MessageSource {
  readonly length: number;
  shift(): StoredMessage | undefined;
}

/** What a consumer's client is told. Both are called in the middle of a step of the server: do the work later. */
export interface ConsumerClient {
  /** There is something to take. */
  wake(): void;
  /** The consumer was removed on the server, though not by its client. */
  removed(): void;
}

export interface MessageQueueOptions {
  readonly clock: Clock;
  readonly source: MessageSource;
  readonly leaseMs: number;
  readonly maxDeadLetters: number;
  /** Messages that may wait to be delivered again; one more is dead-lettered instead. */
  readonly maxWaitingAgain: number;
}

/** The server's side of one queue or one listener: what waits, what is in flight under a lease, what is delayed, what is dead, and who consumes. */
export class MessageQueue {
  readonly dead: DeadLetterBox;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #maxWaitingAgain: number;
  readonly #source: MessageSource;
  /** Delivered or delayed before, and ready now. */
  readonly #again = new Fifo<StoredMessage>();
  #againFirst = false;
  readonly #delayed = new TimedHeap<StoredMessage>();
  #delayTimer: { readonly at: number; readonly cancel: () => void } | undefined;
  readonly #inFlight: StoredMessage[] = [];
  #cancelLeaseCheck: (() => void) | undefined;
  readonly #consumers = new Set<Consumer>();
  /** Consumers with free slots, each in turn. */
  readonly #idle = new Fifo<Consumer>();
  #untold = 0;
  #forgotten = false;

  constructor(options: MessageQueueOptions) {
    this.#clock = options.clock;
    this.#source = options.source;
    this.#leaseMs = options.leaseMs;
    this.#maxWaitingAgain = options.maxWaitingAgain;
    this.dead = new DeadLetterBox(options.maxDeadLetters);
  }

  /** Everything that is neither in flight nor dead. */
  get waiting(): number {
    return this.#source.length + this.#again.length + this.#delayed.size;
  }

  inspect(): QueueInspection {
    let inFlight = this.#inFlight.length;
    for (const consumer of this.#consumers) inFlight += consumer.onTheWay;
    return {
      ready: this.#source.length + this.#again.length,
      inFlight,
      delayed: this.#delayed.size,
      dead: this.dead.size,
    };
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

  /** Lets a consumer go; what it had not taken yet goes back. */
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

  removeConsumers(): void {
    for (const consumer of [...this.#consumers]) consumer.remove();
  }

  /** Gives it up with all it holds: what its consumers still settle is ignored. */
  forget(): void {
    this.#forgotten = true;
    this.#delayTimer?.cancel();
    this.#cancelLeaseCheck?.();
    for (const message of this.#inFlight) message.place = -1;
    this.#inFlight.length = 0;
    this.#again.clear();
    this.#delayed.clear();
    this.#idle.clear();
    this.removeConsumers();
  }

  /** Tells one consumer how many messages went before this queue could get them; the next to come, where there is none. */
  tellMissed(count: number): void {
    for (const consumer of this.#consumers) {
      consumer.addMissed(count);
      return;
    }
    this.#untold += count;
  }

  /** A consumer has room for more; {@link pump} fills it. */
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
    return this.#againFirst
      ? (this.#again.shift() ?? this.#source.shift())
      : (this.#source.shift() ?? this.#again.shift());
  }

  delay(message: StoredMessage, delayMs: number): void {
    this.#delayed.add(this.#clock.now() + delayMs, message);
    this.#armDelayTimer();
  }

  /** One timer, for the earliest. */
  #armDelayTimer(): void {
    const at = this.#delayed.nextAt;
    if (
      at === undefined ||
      at === Number.POSITIVE_INFINITY ||
      (this.#delayTimer !== undefined && this.#delayTimer.at <= at)
    )
      return;
    this.#delayTimer?.cancel();
    const cancel = this.#clock.schedule(at - this.#clock.now(), () => {
      this.#delayTimer = undefined;
      const now = this.#clock.now();
      for (let due = this.#delayed.takeDue(now); due !== undefined; due = this.#delayed.takeDue(now))
        this.#again.push(due);
      this.#armDelayTimer();
      this.pump();
    });
    this.#delayTimer = { at, cancel };
  }

  /** A holder begins to handle the message. */
  hold(message: StoredMessage): void {
    message.tag++;
    message.left = false;
    message.leaseUntil = this.#clock.now() + this.#leaseMs;
    message.place = this.#inFlight.length;
    this.#inFlight.push(message);
    if (this.#cancelLeaseCheck === undefined) this.#armLeaseCheck(this.#leaseMs);
  }

  /** @returns whether the message is still in this delivery's hands. */
  renew(message: StoredMessage, tag: number): boolean {
    if (message.place < 0 || message.tag !== tag) return false;
    message.leaseUntil = this.#clock.now() + this.#leaseMs;
    return true;
  }

  /** Does what the holder of a delivery decided, unless it has lost the message. What becomes ready waits for {@link pump}. */
  settle(message: StoredMessage, tag: number, settlement: Settlement): void {
    if (message.place < 0 || message.tag !== tag) return;
    if (settlement.kind === "leave") {
      message.left = true;
      return;
    }
    this.#release(message);
    if (settlement.kind === "dead-letter") this.#putAside(message, settlement.reason);
    else if (settlement.kind === "retry") this.#tryAgain(message, settlement.delayMs, settlement.counted);
  }

  #tryAgain(message: StoredMessage, delayMs: number, counted: boolean): void {
    if (this.#again.length + this.#delayed.size >= this.#maxWaitingAgain) {
      this.#putAside(message, `${this.#maxWaitingAgain} others were waiting to be delivered again`);
      return;
    }
    if (counted) message.attempts++;
    if (delayMs > 0) this.delay(message, delayMs);
    else this.#again.push(message);
  }

  #putAside(message: StoredMessage, reason: string): void {
    const { id, type, body } = message;
    this.dead.add({ id, type, body, reason, attempts: message.attempts + 1, deadAt: this.#clock.now() });
  }

  /** Delivers dead letters again, as new messages. @returns how many were there. */
  replay(deadLetterIds: readonly string[]): number {
    const letters = this.dead.take(deadLetterIds);
    const now = this.#clock.now();
    for (const letter of letters) this.#again.push(new StoredMessage(letter.id, letter.type, letter.body, now));
    this.pump();
    return letters.length;
  }

  #release(message: StoredMessage): void {
    const last = this.#inFlight.pop() as StoredMessage;
    if (last !== message) {
      this.#inFlight[message.place] = last;
      last.place = message.place;
    }
    message.place = -1;
  }

  /** One timer, no earlier than the first lease can run out: leases only get longer, and new ones end later. */
  #armLeaseCheck(inMs: number): void {
    this.#cancelLeaseCheck = this.#clock.schedule(inMs, () => {
      this.#cancelLeaseCheck = undefined;
      const now = this.#clock.now();
      let first = Number.POSITIVE_INFINITY;
      // Backwards, since releasing one moves the last into its place.
      for (let place = this.#inFlight.length - 1; place >= 0; place--) {
        const message = this.#inFlight[place] as StoredMessage;
        if (message.leaseUntil <= now) this.#takeBack(message);
        else first = Math.min(first, message.leaseUntil);
      }
      if (first !== Number.POSITIVE_INFINITY) this.#armLeaseCheck(first - now);
      this.pump();
    });
  }

  #takeBack(message: StoredMessage): void {
    this.#release(message);
    if (!message.left) message.attempts++;
    this.#again.push(message);
  }
}

/** The server's side of one consumption: pushes what its client has room for. */
export class Consumer {
  readonly queue: MessageQueue;
  readonly #client: ConsumerClient;
  /** Given and not taken: on the way to the client, as it were. A lost connection loses none of it, and none of it counts as tried. */
  readonly #given = new Fifo<StoredMessage>();
  #free = 0;
  #missed = 0;
  #attached = true;

  constructor(queue: MessageQueue, client: ConsumerClient) {
    this.queue = queue;
    this.#client = client;
  }

  /** Deliveries given and not taken. */
  get onTheWay(): number {
    return this.#given.length;
  }

  /** Makes room for `count` more and asks for them. */
  addFree(count: number): void {
    if (!this.#attached) return;
    if (this.#free === 0 && count > 0) this.queue.offer(this);
    this.#free += count;
    this.queue.pump();
  }

  /** @returns whether there is room for more. */
  give(message: StoredMessage): boolean {
    this.#given.push(message);
    if (this.#given.length === 1) this.#client.wake();
    return --this.#free > 0;
  }

  addMissed(count: number): void {
    this.#missed += count;
    this.#client.wake();
  }

  /** The next message, in this client's hands from now on. */
  take(): StoredMessage | undefined {
    const message = this.#given.shift();
    if (message !== undefined) this.queue.hold(message);
    return message;
  }

  takeMissed(): number {
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }

  /** The client is gone, or wants nothing more: what it had not taken goes to others. */
  drop(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.queue.unsubscribe(this, this.#given, this.takeMissed());
  }

  /** Drops it behind its client's back. */
  remove(): void {
    this.drop();
    this.#client.removed();
  }
}
