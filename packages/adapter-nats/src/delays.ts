import { messageOf } from "@intermodal/core/ports";
import type { Msg } from "@nats-io/transport-node";
import { putDurable } from "./durables.ts";
import { readAckSubject, readHeaders } from "./headers.ts";
import { DELAY_DURABLE } from "./names.ts";
import { PullConsumer } from "./pull-consumer.ts";
import type { Ending, Session } from "./session.ts";
import { MS } from "./topology.ts";

/** How many delayed messages are looked at at once; those that are not due yet take no place. */
const CONCURRENCY = 256;
/** A process that dies in the middle holds up what it looked at for this long. */
const LEASE_MS = 2_000;
const CHECK_MS = 1_000;
const AFTER_FAILURE_MS = 1_000;
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
  #moving = 0;
  #checks = 0;
  #isFailing = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes part from now on; idempotent. */
  start(): void {
    if (this.#consumer !== undefined || this.#session.isClosed) return;
    this.#session.add(this);
    const { names, api } = this.#session;
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
      free: () => CONCURRENCY - this.#moving,
      onMessage: (message) => this.#look(message),
    });
    this.#consumer = consumer;
    consumer.start().catch((error: unknown) => {
      // Whoever consumes is told the same.
      if (!this.#session.isClosed) this.#session.logger.error("delayed messages wait", { error: messageOf(error) });
      if (this.#consumer === consumer) this.#consumer = undefined;
    });
    const check = () => {
      if (this.#consumer !== consumer) return;
      consumer.check();
      // Keeps the server's clock known, which the delays are measured by.
      this.#checks++;
      if (this.#checks % 30 === 0 && this.#session.connection.isUp)
        api.consumerInfo(names.tasks, DELAY_DURABLE).catch(() => {});
      this.#session.clock.schedule(CHECK_MS, check);
    };
    this.#session.clock.schedule(CHECK_MS, check);
  }

  async end(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    consumer?.end();
  }

  #look(message: Msg): void {
    const { api } = this.#session;
    const { sequence, storedAt } = readAckSubject(message.reply ?? "");
    const { carried, delay } = readHeaders(message.headers, { id: "", type: "" });
    const waitMs = delay === undefined ? 0 : storedAt + delay.delayMs - api.serverNow();
    if (waitMs > 0 || delay === undefined) {
      // What is no message of ours is left for the operator to look at, one hour after the other.
      this.#comeBack(message, delay === undefined ? 3_600_000 : waitMs);
      this.#consumer?.pull();
      return;
    }
    this.#moving++;
    void this.#move(message, sequence, { carried, target: delay.target }).finally(() => {
      this.#moving--;
      this.#consumer?.pull();
    });
  }

  async #move(
    message: Msg,
    sequence: number,
    { carried, target }: { carried: ReturnType<typeof readHeaders>["carried"]; target: string },
  ): Promise<void> {
    const { names, publisher, connection, clock, logger } = this.#session;
    try {
      await publisher.publish({
        what: `message ${carried.id}, whose delay has ended`,
        stream: names.streamOf(target),
        subject: target,
        messageId: `~t.${sequence}`,
        carried,
        body: message.data,
      });
      // Unconfirmed it would come again, and be recognised as long as the server remembers it.
      await connection.requests.send({
        subject: message.reply ?? "",
        payload: ACK,
        deadline: clock.now() + LEASE_MS,
        what: "acknowledging a delayed message",
      });
      this.#isFailing = false;
    } catch (error) {
      if (this.#session.isClosed) return;
      if (!this.#isFailing) logger.warn("delayed messages can't be sent on; trying on", { error: messageOf(error) });
      this.#isFailing = true;
      this.#comeBack(message, AFTER_FAILURE_MS);
    }
  }

  /** A lost one does no harm: the lease ends soon. */
  #comeBack(message: Msg, delayMs: number): void {
    const nak = `-NAK {"delay":${Math.ceil(delayMs) * MS}}`;
    this.#session.connection.client?.publish(message.reply ?? "", encoder.encode(nak));
  }
}
