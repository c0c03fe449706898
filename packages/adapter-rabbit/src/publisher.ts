import { type Clock, IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import type { ConfirmChannel, Message } from "amqplib";
import type { Connection } from "./connection.ts";
import { channelFailure, tooLarge } from "./errors.ts";
import { closeQuietly, type Link, quiet } from "./link.ts";
import { type Batch, Entry, type Publication } from "./publication.ts";

/** How many messages may be with the broker unconfirmed. */
const WINDOW = 512;
/** After a failure that may pass. */
const PAUSE_MS = 200;

export interface PublisherOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly sendTimeoutMs: number;
  /** Told when the broker turns out to take less than was thought. */
  readonly onLimit: (maxPayloadBytes: number) => void;
}

/**
 * Publishes with confirms over one channel. What was not written yet when the connection went is written when it is back; what was written without
 * being confirmed fails as `unknown`: RabbitMQ would take it twice.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #connection: Connection;
  readonly #unlisten: () => void;
  /** In the order they came. */
  #waiting: Entry[] = [];
  #from = 0;
  /** By delivery tag, in the order they were written. */
  readonly #written = new Map<number, Entry>();
  readonly #preparing = new Set<Entry>();
  #channel: ConfirmChannel | undefined;
  #connecting = false;
  #opening = false;
  #isFull = false;
  #nextTag = 1;
  #cancelTimer: (() => void) | undefined;
  #closed: IntermodalError | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#unlisten = this.#connection.listen({
      up: () => this.#pump(),
      blocked: (link) =>
        link.blocked === undefined ? this.#pump() : this.#failUnwritten(blockedError(this.#connection, link)),
    });
  }

  /** Hands over one publication of a batch, which is told what became of it. */
  publish(publication: Publication, deadline: number, batch: Batch, at: number): void {
    const entry = new Entry(publication, deadline, batch, at);
    const link = this.#connection.link;
    if (this.#closed !== undefined) entry.settle(this.#closed);
    else if (link?.blocked !== undefined) entry.settle(blockedError(this.#connection, link));
    else {
      this.#waiting.push(entry);
      this.#watch(deadline);
      this.#pump();
    }
  }

  /** Everything that is on its way fails with `CLOSED`. */
  close(): void {
    if (this.#closed !== undefined) return;
    const message = "the adapter was closed before RabbitMQ confirmed the message";
    this.#closed = new IntermodalError("CLOSED", message);
    this.#unlisten();
    this.#cancelTimer?.();
    this.#failUnwritten(this.#closed);
    this.#failWritten(new IntermodalError("CLOSED", message, { unknown: true }));
    if (this.#channel !== undefined) closeQuietly(this.#channel);
  }

  #pump(): void {
    const { link } = this.#connection;
    if (this.#closed !== undefined || this.#from === this.#waiting.length) return;
    if (link === undefined) return this.#connect();
    if (this.#channel === undefined) {
      if (!this.#opening) void this.#open(link);
      return;
    }
    while (
      this.#from < this.#waiting.length &&
      this.#written.size < WINDOW &&
      !this.#isFull &&
      this.#channel !== undefined
    ) {
      const entry = this.#waiting[this.#from++];
      if (entry === undefined || entry.isSettled) continue;
      if (link.has(entry.publication.route.needs)) this.#write(this.#channel, entry);
      else void this.#prepare(link, entry);
    }
    if (this.#from === this.#waiting.length) {
      this.#waiting = [];
      this.#from = 0;
    } else if (this.#from > WINDOW) {
      this.#waiting = this.#waiting.slice(this.#from);
      this.#from = 0;
    }
  }

  #write(channel: ConfirmChannel, entry: Entry): void {
    const { route, body, properties } = entry.publication;
    const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const tag = this.#nextTag++;
    this.#written.set(tag, entry);
    try {
      this.#isFull = !channel.publish(route.exchange, route.routingKey, content, properties);
    } catch (error) {
      this.#written.delete(tag);
      entry.settle(channelFailure("publishing", error));
    }
  }

  /** Declares what an entry needs, then lets it go on. */
  async #prepare(link: Link, entry: Entry): Promise<void> {
    this.#preparing.add(entry);
    let pauseMs = 0;
    try {
      await link.declare(entry.publication.route.needs);
    } catch (error) {
      if (isIntermodalError(error) && error.code !== "UNAVAILABLE") entry.settle(error);
      pauseMs = PAUSE_MS;
    }
    this.#preparing.delete(entry);
    if (entry.isSettled) return;
    this.#waiting.push(entry);
    if (pauseMs === 0) this.#pump();
    else this.#options.clock.schedule(pauseMs, () => this.#pump());
  }

  async #open(link: Link): Promise<void> {
    this.#opening = true;
    try {
      const channel = quiet(await link.model.createConfirmChannel());
      if (this.#closed === undefined && !link.isLost) this.#adopt(channel, link);
      else closeQuietly(channel);
    } catch {
      // The link is on its way out, or the broker short of channels: the deadline bounds how often.
      this.#options.clock.schedule(PAUSE_MS, () => this.#pump());
    }
    this.#opening = false;
    this.#pump();
  }

  #adopt(channel: ConfirmChannel, link: Link): void {
    let failure: unknown;
    this.#channel = channel;
    this.#nextTag = 1;
    this.#isFull = false;
    channel.on("ack", ({ deliveryTag, multiple }) => this.#confirm(deliveryTag, multiple, undefined));
    channel.on("nack", ({ deliveryTag, multiple }) => this.#confirm(deliveryTag, multiple, refusedError()));
    channel.on("return", (message) => this.#markReturned(message));
    channel.on("drain", () => {
      this.#isFull = false;
      this.#pump();
    });
    channel.on("error", (error) => {
      failure = error;
    });
    channel.on("close", () => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.#afterChannel(link, failure);
    });
  }

  #confirm(tag: number, multiple: boolean, failure: IntermodalError | undefined): void {
    if (multiple) {
      for (const [written, entry] of this.#written) {
        if (written > tag) break;
        this.#written.delete(written);
        this.#confirmed(entry, failure);
      }
    } else {
      const entry = this.#written.get(tag);
      this.#written.delete(tag);
      if (entry !== undefined) this.#confirmed(entry, failure);
    }
    this.#pump();
  }

  #confirmed(entry: Entry, failure: IntermodalError | undefined): void {
    if (!entry.returned || failure !== undefined) return entry.settle(failure);
    const { needs, routingKey } = entry.publication.route;
    if (entry.redeclared)
      return entry.settle(
        new IntermodalError(
          "UNROUTABLE",
          `there is no queue for ${routingKey}, although it was declared: something deletes it`,
        ),
      );
    entry.returned = false;
    entry.redeclared = true;
    this.#connection.link?.forget(needs);
    this.#waiting.push(entry);
  }

  /** A return comes before its message's confirmation. Equal messages to the same queue share its fate. */
  #markReturned({ fields, properties }: Message): void {
    for (const entry of this.#written.values()) {
      const { publication } = entry;
      if (
        publication.properties.messageId === properties.messageId &&
        publication.route.routingKey === fields.routingKey
      )
        entry.returned = true;
    }
  }

  /** The broker has closed the channel, or it went with its connection. */
  #afterChannel(link: Link, failure: unknown): void {
    const refused = tooLarge(failure);
    if (refused !== undefined) {
      this.#options.onLimit(refused.limit);
      this.#failTooLarge(refused.bytes, refused.limit);
    } else if (failure !== undefined && !link.isLost) {
      // An exchange may be gone: what was declared is looked at again.
      for (const { publication } of this.#written.values()) link.forget(publication.route.needs);
    }
    this.#failWritten(
      new IntermodalError("UNAVAILABLE", `${this.#connection.server} was lost before it confirmed the message`, {
        cause: failure,
        unknown: true,
      }),
    );
    this.#pump();
  }

  /** A channel takes its messages in order: what was written after the culprit was never looked at, and may be written again. */
  #failTooLarge(bytes: number, limit: number): void {
    let isAfter = false;
    const untouched: Entry[] = [];
    for (const [tag, entry] of this.#written) {
      if (isAfter) {
        untouched.push(entry);
        this.#written.delete(tag);
      } else if (entry.publication.body.length === bytes) {
        isAfter = true;
        this.#written.delete(tag);
        entry.settle(
          new IntermodalError(
            "PAYLOAD_TOO_LARGE",
            `a body of ${bytes} bytes is longer than the ${limit} that RabbitMQ takes: send a reference instead, or raise its max_message_size`,
          ),
        );
      }
    }
    this.#waiting = [...untouched, ...this.#waiting.slice(this.#from)];
    this.#from = 0;
  }

  #failUnwritten(failure: IntermodalError): void {
    for (const entry of this.#preparing) entry.settle(failure);
    for (const entry of this.#waiting) entry.settle(failure);
    this.#waiting = [];
    this.#from = 0;
  }

  #failWritten(failure: IntermodalError): void {
    for (const entry of this.#written.values()) entry.settle(failure);
    this.#written.clear();
  }

  /** Whoever waits learns at once of what waiting can't cure. */
  #connect(): void {
    if (this.#connecting) return;
    this.#connecting = true;
    this.#connection.up().then(
      () => {
        this.#connecting = false;
      },
      (error: unknown) => {
        this.#connecting = false;
        if (isIntermodalError(error) && error.code !== "UNAVAILABLE") this.#failUnwritten(error);
      },
    );
  }

  /** One timer for all: whoever came first gives up first. */
  #watch(deadline: number): void {
    if (this.#cancelTimer !== undefined) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.schedule(deadline - clock.now(), () => {
      this.#cancelTimer = undefined;
      this.#expire(clock.now());
    });
  }

  #expire(now: number): void {
    let next = Number.POSITIVE_INFINITY;
    const give = (entries: Iterable<Entry>, failure: () => IntermodalError) => {
      for (const entry of entries) {
        if (entry.isSettled) continue;
        if (entry.deadline <= now) entry.settle(failure());
        else next = Math.min(next, entry.deadline);
      }
    };
    const { server, link, failure } = this.#connection;
    const seconds = this.#options.sendTimeoutMs / 1_000;
    const unsent = () =>
      link === undefined
        ? new IntermodalError(failure.code, `not sent within ${seconds} s: ${failure.message}`, { cause: failure })
        : new IntermodalError("UNAVAILABLE", `not sent within ${seconds} s: ${server} is too slow`);
    give(this.#waiting, unsent);
    give(this.#preparing, unsent);
    this.#waiting = this.#waiting.slice(this.#from).filter((entry) => !entry.isSettled);
    this.#from = 0;
    give(
      this.#written.values(),
      () =>
        new IntermodalError("UNAVAILABLE", `${server} did not confirm the message within ${seconds} s`, {
          unknown: true,
        }),
    );
    if (next < Number.POSITIVE_INFINITY) this.#watch(next);
  }
}

function blockedError(connection: Connection, { blocked }: Link): IntermodalError {
  return new IntermodalError(
    "UNAVAILABLE",
    `${connection.server} takes no messages: ${blocked ?? "an alarm"}. Free memory or disk on the server, or raise vm_memory_high_watermark or lower disk_free_limit`,
  );
}

function refusedError(): IntermodalError {
  return new IntermodalError("UNAVAILABLE", "RabbitMQ refused the message: a queue for it is full or has no quorum", {
    unknown: true,
  });
}
