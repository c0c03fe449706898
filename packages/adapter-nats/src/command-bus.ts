import { takeAll } from "@intermodal/core/adapter";
import {
  type CommandBus,
  type CommandBusCapabilities,
  type Consumption,
  type DeadLetters,
  type DeliveryHandler,
  IntermodalError,
  type OutgoingCommand,
  type QueueInspection,
  type WorkOptions,
} from "@intermodal/core/ports";
import { told } from "./api.ts";
import { NatsConsumption } from "./consumption.ts";
import { NatsDeadLetters } from "./dead-letters.ts";
import type { Delays } from "./delays.ts";
import { putDurable } from "./durables.ts";
import { encodeValue } from "./headers.ts";
import { assertFits, SoftLimit } from "./limits.ts";
import { DEDUPE_WINDOW_MS } from "./options.ts";
import type { Session } from "./session.ts";
import { MAX_DELAY_MS } from "./settlement.ts";

/** Commands in the work-queue stream TASKS: one durable per queue, which all its workers share. */
export class NatsCommandBus implements CommandBus {
  readonly capabilities: CommandBusCapabilities;
  readonly deadLetters: DeadLetters;
  readonly #session: Session;
  readonly #delays: Delays;
  readonly #limit: SoftLimit;

  constructor(session: Session, delays: Delays) {
    this.#session = session;
    this.#delays = delays;
    this.#limit = new SoftLimit(session);
    this.capabilities = {
      processLocal: false,
      dedupeWindowMs: DEDUPE_WINDOW_MS,
      maxDelayMs: MAX_DELAY_MS,
      maxHandlerMs: Number.POSITIVE_INFINITY,
      get maxPayloadBytes() {
        return session.maxPayloadBytes;
      },
      unroutable: "wait",
      leaseMs: session.settings.leaseMs,
      countsInFlight: true,
      countsDelayed: true,
    };
    this.deadLetters = new NatsDeadLetters(session, (queue) => session.names.queue(queue));
  }

  async send(commands: readonly OutgoingCommand[]): Promise<void> {
    this.#session.assertOpen("send");
    await takeAll(commands.map((command) => this.#send(command)));
  }

  async work(queue: string, { concurrency }: WorkOptions, handle: DeliveryHandler): Promise<Consumption> {
    const what = `work on queue ${JSON.stringify(queue)}`;
    this.#session.assertOpen(what);
    const session = this.#session;
    const place = session.names.queue(queue);
    const consumption = new NatsConsumption({
      session,
      delays: this.#delays,
      what,
      place,
      concurrency,
      handle,
      ensure: (wasThere) =>
        putDurable(session, place.stream, {
          durable: place.durable,
          filters: [place.target],
          leaseMs: session.settings.leaseMs,
          asItIs: wasThere,
        }),
    });
    await consumption.start();
    return consumption;
  }

  async inspect(queue: string): Promise<QueueInspection> {
    const what = `inspect queue ${JSON.stringify(queue)}`;
    await this.#session.ready(what);
    const { api, names } = this.#session;
    const { stream, durable, target, dead, delayed } = names.queue(queue);
    const count = (subject: string) => told(what, api.count(names.tasks, subject));
    const [info, waiting, deadCount, delayedCount] = await Promise.all([
      told(what, api.consumerInfo(stream, durable)),
      count(target),
      count(dead),
      count(delayed),
    ]);
    return {
      ready: info?.num_pending ?? waiting,
      inFlight: info?.num_ack_pending ?? 0,
      delayed: delayedCount,
      dead: deadCount,
    };
  }

  async #send({ queue, id, type, body, delayMs = 0 }: OutgoingCommand): Promise<void> {
    const { names, publisher, maxPayloadBytes } = this.#session;
    const what = `command ${id}`;
    assertFits(what, body, maxPayloadBytes);
    if (delayMs > MAX_DELAY_MS)
      throw new IntermodalError("NOT_SUPPORTED", `${what}: a delay of ${delayMs} ms is longer than ${MAX_DELAY_MS} ms`);
    if (this.#limit.isSet) await this.#limit.admit(what, body.length);
    const { target, delayed } = names.queue(queue);
    const common = { what, stream: names.tasks, messageId: encodeValue(id), body };
    if (delayMs <= 0) {
      await publisher.publish({ ...common, subject: target, carried: { id, type, tries: 0 } });
      return;
    }
    await publisher.publish({
      ...common,
      subject: delayed,
      // The copy that is delivered is stored only when the delay has ended.
      carried: { id, type, tries: 0, sentAt: this.#session.clock.now() },
      delay: { delayMs: Math.ceil(delayMs), target },
    });
  }
}
