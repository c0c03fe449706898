import type { Channel, ConsumeMessage } from "amqplib";

/** Acknowledges many deliveries of one channel with few frames: all that are done up to some delivery go in one. */
export class Acks {
  readonly #channel: Channel;
  /** Every delivery up to this tag is done. */
  #floor = 0;
  /** Done beyond the floor. */
  readonly #ahead = new Set<number>();
  #fresh: ConsumeMessage[] = [];
  #scheduled = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Brings it to the broker with whatever else is done in this turn of the event loop. */
  add(message: ConsumeMessage): void {
    this.#fresh.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flushLater);
  }

  flush(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    for (const { fields } of fresh) this.#ahead.add(fields.deliveryTag);
    while (this.#ahead.delete(this.#floor + 1)) this.#floor++;
    // RabbitMQ knows a tag only until it is acknowledged: of the contiguous ones the last that is fresh stands for all.
    let last: ConsumeMessage | undefined;
    for (const message of fresh) {
      const { deliveryTag } = message.fields;
      if (deliveryTag > this.#floor) this.#channel.ack(message);
      else if (last === undefined || deliveryTag > last.fields.deliveryTag) last = message;
    }
    if (last !== undefined) this.#channel.ack(last, true);
  }

  readonly #flushLater = (): void => {
    this.#scheduled = false;
    try {
      this.flush();
    } catch {
      // The channel is gone: these deliveries come again.
    }
  };
}
