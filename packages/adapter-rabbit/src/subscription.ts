import type { Channel, ConsumeMessage } from "amqplib";
import { Acks } from "./acks.ts";
import { closeQuietly, type Link } from "./link.ts";

/** AMQP's own limit. */
export const MAX_PREFETCH = 65_535;

export interface SubscriptionOptions {
  readonly channel: Channel;
  readonly link: Link;
  readonly queue: string;
  readonly onMessage: (subscription: Subscription, message: ConsumeMessage) => void;
  /** It has ended, otherwise than by `close`, and with it all that it delivered. */
  readonly onEnd: (subscription: Subscription, why: string) => void;
}

/** One generation of a consumption: a channel of its own, and what came over it. Only over it may that be settled. */
export class Subscription {
  readonly link: Link;
  readonly #options: SubscriptionOptions;
  readonly #acks: Acks;
  /** Their tags, also of those that are still being made. */
  readonly #consumers: Promise<string>[] = [];
  #offered = 0;
  #isOver = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.link = options.link;
    this.#acks = new Acks(options.channel);
    let why = "its channel was closed";
    options.channel.on("error", (error) => {
      why = error.message;
    });
    options.channel.on("close", () => this.#end(why));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many deliveries the broker may have out here. */
  get offered(): number {
    return this.#offered;
  }

  /** Asks for this many deliveries at once, beside those that were asked for before. */
  async offer(slots: number): Promise<void> {
    if (slots <= 0) return;
    this.#offered += slots;
    const consumer = this.#consume(Math.min(slots, MAX_PREFETCH));
    this.#consumers.push(consumer);
    await consumer;
  }

  /** Asks for both at once: a prefetch is that of whichever consumer is made next, and overlapping offers must not swap theirs. */
  async #consume(prefetch: number): Promise<string> {
    const { channel, queue, onMessage } = this.#options;
    const limited = channel.prefetch(prefetch);
    const consuming = channel.consume(queue, (message) => {
      if (message === null) this.#cancelled();
      else if (!this.#isOver) onMessage(this, message);
    });
    const [, { consumerTag }] = await Promise.all([limited, consuming]);
    return consumerTag;
  }

  ack(message: ConsumeMessage): void {
    if (!this.#isOver) this.#acks.add(message);
  }

  /** Gives it back to the broker, which may count it. */
  giveBack(message: ConsumeMessage): void {
    if (!this.#isOver) this.#options.channel.nack(message, false, true);
  }

  /** Nothing new comes once it resolves. */
  async cancel(): Promise<void> {
    if (this.#isOver) return;
    try {
      await Promise.all(this.#consumers.map(async (consumer) => this.#options.channel.cancel(await consumer)));
    } catch {
      // The channel is gone, and its consumers with it.
    }
  }

  /** What is not acknowledged goes back to the queue. Resolves when the acknowledgements have arrived. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#acks.flush();
    } catch {
      // The channel is gone: what it delivered comes again.
    }
    await closeQuietly(this.#options.channel);
  }

  #cancelled(): void {
    if (this.#isOver) return;
    void closeQuietly(this.#options.channel);
    this.#end("the broker cancelled its consumer: its queue was deleted or moved");
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(this, why);
  }
}
