import { messageOf } from "@intermodal/core/ports";
import type { Msg } from "@nats-io/transport-node";
import { putDurable } from "./durables.ts";
import { copyOf, readAckSubject, readHeaders } from "./headers.ts";
import { DELAY_DURABLE } from "./names.ts";
import { PullConsumer } from "./pull-consumer.ts";
import type { Ending, Session } from "./session.ts";
import { MS } from "./topology.ts";

/** How many delayed messages are looked at at once; those that are not due yet take a place no longer than it takes to know that. */
const CONCURRENCY = 256;
/** A process that dies in the middle holds up what it looked at for this long. */
const LEASE_MS = 2_000;
const CHECK_MS = 1_000;
const AFTER_FAILURE_MS = 1_000;
const START_AGAIN_MS = 5_000;
/** For how long the server's time is told by our clock. */
const HEARD_MS = 100;
const ACK = new Uint8Array();
const encoder = new TextEncoder();

/**
 * Sends delayed messages on when their time has come, for both buses. They wait in TASKS under a subject of their own; every process that consumes takes part
 * in looking after them: one that comes too early goes back to the server with a delayed nak, which needs no timer here and survives everyone.
 *
 * Server-side schedules can't do this: the server refuses them in a stream that discards new messages, which is what TASKS has to do.
 */
export class Delays implements Ending {
  readonly #session: Session;
  #consumer: PullConsumer | undefined;
  #looking = 0;
  #isFailing = false;
  /** What the clock of the stream's leader showed at least, and ours when we heard of it. */
  #serverAt = 0;
  #heardAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<number> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes part from now on; idempotent. */
  start(): void {
    if (this.#consumer !== undefined || this.#session.isClosed) return;
    this.#session.add(this);
    const { names, clock, logger } = this.#session;
    const consumer = new PullConsumer({
      session: this.#session,
      what: "looking after delayed messages",
      stream: names.tasks,
      durable: DELAY_DURABLE,
      ensure: () =>
        putDurable(this.#session, names.tasks, {
          durable: DELAY_DURABLE,
          filters: [names.delayed],
          leaseMs: LEASE_MS,
        }),
      capacity: CONCURRENCY,
      free: () => CONCURRENCY - this.#looking,
      onMessage: (message) => void this.#take(message),
    });
    this.#consumer = consumer;
    consumer.start().catch((error: unknown) => {
      if (this.#session.isClosed) return;
      logger.error("delayed messages wait; trying again", { error: messageOf(error) });
      // Consumers rely on it, and an operator can mend what it was refused for.
      this.#consumer = undefined;
      clock.schedule(START_AGAIN_MS, () => this.start());
    });
    const check = () => {
      if (this.#consumer !== consumer) return;
      consumer.check();
      clock.schedule(CHECK_MS, check);
    };
    clock.schedule(CHECK_MS, check);
  }

  async end(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    consumer?.end();
  }

  async #take(message: Msg): Promise<void> {
    this.#looking++;
    try {
      await this.#look(message);
    } catch (error) {
      if (this.#session.isClosed) return;
      if (!this.#isFailing)
        this.#session.logger.warn("delayed messages can't be sent on; trying on", { error: messageOf(error) });
      this.#isFailing = true;
      this.#comeBack(message, AFTER_FAILURE_MS);
    } finally {
      this.#looking--;
      this.#consumer?.pull();
    }
  }

  async #look(message: Msg): Promise<void> {
    const ackSubject = message.reply ?? "";
    const { carried, delay } = readHeaders(message.headers, { id: "", type: "" });
    // What is no message of ours is left for the operator to look at, one hour after the other.
    if (delay === undefined) return this.#comeBack(message, 3_600_000);
    const { delayMs, target } = delay;
    const waitMs = readAckSubject(ackSubject).storedAt + delayMs - (await this.#serverNow());
    // No longer than it was to wait at all, whatever was done to the server's clock.
    if (waitMs > 0) return this.#comeBack(message, Math.min(waitMs, delayMs));
    const { names, publisher, connection, clock } = this.#session;
    await publisher.publish({
      what: `message ${carried.id}, whose delay has ended`,
      stream: names.streamOf(target),
      subject: target,
      messageId: `~t.${copyOf(ackSubject)}`,
      carried,
      body: message.data,
    });
    // Unconfirmed it would come again, and be recognised as long as the server remembers it.
    await connection.requests.send({
      subject: ackSubject,
      payload: ACK,
      deadline: clock.now() + LEASE_MS,
      what: "acknowledging a delayed message",
    });
    this.#isFailing = false;
  }

  /** By the clock that stamps the messages, at least. Either clock may be set at any time, so ours tells it for a moment only. */
  async #serverNow(): Promise<number> {
    const sinceMs = this.#session.clock.now() - this.#heardAt;
    if (sinceMs >= 0 && sinceMs < HEARD_MS) return this.#serverAt + sinceMs;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<number> {
    const { api, clock, names } = this.#session;
    this.#serverAt = await api.timeOf(names.tasks);
    this.#heardAt = clock.now();
    return this.#serverAt;
  }

  /** A lost one does no harm: the lease ends soon. */
  #comeBack(message: Msg, delayMs: number): void {
    const nak = `-NAK {"delay":${Math.ceil(delayMs) * MS}}`;
    this.#session.connection.client?.publish(message.reply ?? "", encoder.encode(nak));
  }
}
