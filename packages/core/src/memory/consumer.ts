import { Fifo } from "./fifo.ts";
import type { StoredMessage } from "./stored-message.ts";

/** What a consumer's client is told. Both are called in the middle of a step of the server: do the work later. */
export interface ConsumerClient {
  /** There is something to take. */
  wake(): void;
  /** The consumer was removed on the server, though not by its client. */
  removed(): void;
}

/** The queue that a consumer takes from. */
export interface ConsumerQueue {
  /** The consumer has room; {@link pump} fills it. */
  offer(consumer: Consumer): void;
  pump(): void;
  /** A message is in the hands of its holder from now on. */
  hold(message: StoredMessage): void;
  /** Lets a consumer go; what was on the way to it goes back. */
  unsubscribe(consumer: Consumer, untaken: Fifo<StoredMessage>, missed: number): void;
}

/** The server's side of one consumption: pushes what its client has room for. */
export class Consumer {
  readonly #queue: ConsumerQueue;
  readonly #client: ConsumerClient;
  /** Given and not taken. A lost connection loses none of it, and none of it counts as tried. */
  readonly #given = new Fifo<StoredMessage>();
  #free = 0;
  #missed = 0;
  #attached = true;

  constructor(queue: ConsumerQueue, client: ConsumerClient) {
    this.#queue = queue;
    this.#client = client;
  }

  /** How many are given and not taken. */
  get onTheWay(): number {
    return this.#given.length;
  }

  /** Makes room for `count` more and asks for them. */
  addFree(count: number): void {
    if (!this.#attached) return;
    if (this.#free === 0 && count > 0) this.#queue.offer(this);
    this.#free += count;
    this.#queue.pump();
  }

  /** @returns whether there is room for more. */
  give(message: StoredMessage): boolean {
    this.#given.push(message);
    if (this.#given.length === 1) this.#client.wake();
    return --this.#free > 0;
  }

  /** The next message, in this client's hands from now on. */
  take(): StoredMessage | undefined {
    const message = this.#given.shift();
    if (message !== undefined) this.#queue.hold(message);
    return message;
  }

  addMissed(count: number): void {
    this.#missed += count;
    this.#client.wake();
  }

  /** How many messages the client has not been told it missed. */
  takeMissed(): number {
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }

  /** The client is gone, or wants nothing more. */
  drop(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#queue.unsubscribe(this, this.#given, this.takeMissed());
  }

  /** Drops it behind its client's back. */
  remove(): void {
    this.drop();
    this.#client.removed();
  }
}
