import { type Clock, IntermodalError } from "@intermodal/core/ports";
import type { ConfirmChannel, Message } from "amqplib";
import { channelFailure } from "./errors.ts";
import { closeQuietly, quiet } from "./link.ts";
import type { Entry } from "./publication.ts";

/** How many messages may be with the broker unconfirmed. */
const WINDOW = 512;

export interface WindowOptions {
  readonly channel: ConfirmChannel;
  readonly clock: Clock;
  /** More can be written. */
  readonly onRoom: () => void;
  /** The broker had no queue for it. */
  readonly onReturned: (entry: Entry) => void;
  /** The channel is gone; these were written, in this order, and not answered. */
  readonly onClosed: (unanswered: readonly Entry[], failure: unknown) => void;
}

/** What is written on one channel and waits for its confirmation. */
export class Window {
  readonly #options: WindowOptions;
  /** By delivery tag, in the order they were written. */
  readonly #written = new Map<number, Entry>();
  #nextTag = 1;
  #isFull = false;

  constructor(options: WindowOptions) {
    this.#options = options;
    const { channel, onClosed, onRoom } = options;
    let failure: unknown;
    quiet(channel);
    channel.on("ack", ({ deliveryTag, multiple }) => this.#answer(deliveryTag, multiple, undefined));
    channel.on("nack", ({ deliveryTag, multiple }) => this.#answer(deliveryTag, multiple, refusal()));
    channel.on("return", (message) => this.#markReturned(message));
    channel.on("drain", () => {
      this.#isFull = false;
      onRoom();
    });
    channel.on("error", (error) => {
      failure = error;
    });
    channel.on("close", () => {
      const unanswered = [...this.#written.values()];
      this.#written.clear();
      onClosed(unanswered, failure);
    });
  }

  get hasRoom(): boolean {
    return this.#written.size < WINDOW && !this.#isFull;
  }

  /** Since when the broker owes an answer, on the clock. */
  get owedSince(): number {
    for (const { writtenAt } of this.#written.values()) return writtenAt;
    return Number.POSITIVE_INFINITY;
  }

  get unanswered(): Iterable<Entry> {
    return this.#written.values();
  }

  write(entry: Entry): void {
    const { channel, clock } = this.#options;
    const { route, body, properties, dueAt } = entry.publication;
    const now = clock.now();
    entry.writtenAt = now;
    if (dueAt !== undefined) properties.expiration = Math.max(0, Math.ceil(dueAt - now));
    const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    try {
      this.#isFull = !channel.publish(route.exchange, route.routingKey, content, properties);
      this.#written.set(this.#nextTag++, entry);
    } catch (error) {
      // The driver throws before it writes: its channel is closing.
      entry.settle(channelFailure("publishing", error));
    }
  }

  /** Sends what is written, then closes the channel. */
  close(): Promise<void> {
    return closeQuietly(this.#options.channel);
  }

  #answer(tag: number, multiple: boolean, failure: IntermodalError | undefined): void {
    if (multiple) {
      for (const [written, entry] of this.#written) {
        if (written > tag) break;
        this.#settle(written, entry, failure);
      }
    } else {
      const entry = this.#written.get(tag);
      if (entry !== undefined) this.#settle(tag, entry, failure);
    }
    this.#options.onRoom();
  }

  #settle(tag: number, entry: Entry, failure: IntermodalError | undefined): void {
    this.#written.delete(tag);
    if (failure === undefined && entry.returned) this.#options.onReturned(entry);
    else entry.settle(failure);
  }

  /** A return comes before its message's confirmation. Equal messages on the same route share its fate. */
  #markReturned({ fields, properties }: Message): void {
    for (const entry of this.#written.values()) {
      const { route, properties: own } = entry.publication;
      if (own.messageId === properties.messageId && route.routingKey === fields.routingKey) entry.returned = true;
    }
  }
}

function refusal(): IntermodalError {
  const message = "RabbitMQ refused the message: a queue for it is full, or has too few of its nodes";
  return new IntermodalError("UNAVAILABLE", message, { unknown: true });
}
