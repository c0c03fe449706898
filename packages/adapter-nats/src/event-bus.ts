import { takeAll } from "@intermodal/core/adapter";
import {
  type Consumption,
  type DeadLetters,
  type DeliveryHandler,
  type EventBus,
  type EventBusCapabilities,
  type ListenerInspection,
  type ListenerName,
  type ListenOptions,
  listenerKey,
  type OutgoingEvent,
} from "@intermodal/core/ports";
import { told } from "./api.ts";
import { NatsConsumption } from "./consumption.ts";
import { NatsDeadLetters } from "./dead-letters.ts";
import type { Delays } from "./delays.ts";
import { GapWatch } from "./gaps.ts";
import { encodeValue } from "./headers.ts";
import { assertFits } from "./limits.ts";
import { ListenerDurable } from "./listener-durable.ts";
import { DEDUPE_WINDOW_MS } from "./options.ts";
import type { Session } from "./session.ts";
import { MAX_DELAY_MS } from "./settlement.ts";

/** Events in the stream EVENTS: one durable per listener, which its replicas share. */
export class NatsEventBus implements EventBus {
  readonly capabilities: EventBusCapabilities;
  readonly deadLetters: DeadLetters;
  readonly #session: Session;
  readonly #delays: Delays;

  constructor(session: Session, delays: Delays) {
    this.#session = session;
    this.#delays = delays;
    this.capabilities = {
      dedupeWindowMs: DEDUPE_WINDOW_MS,
      maxDelayMs: MAX_DELAY_MS,
      get maxPayloadBytes() {
        return session.maxPayloadBytes;
      },
      leaseMs: session.settings.leaseMs,
      replaysHistory: true,
      countsGaps: true,
      countsInFlight: true,
      countsDelayed: true,
    };
    this.deadLetters = new NatsDeadLetters(session, (key) => session.names.listener(key));
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    this.#session.assertOpen("publish");
    await takeAll(events.map((event) => this.#publish(event)));
  }

  async listen(listener: ListenerName, options: ListenOptions, handle: DeliveryHandler): Promise<Consumption> {
    const session = this.#session;
    const key = listenerKey(listener);
    const what = `listen as ${key}`;
    session.assertOpen(what);
    const place = session.names.listener(key);
    const durable = new ListenerDurable(session, place, options);
    const gaps = options.onGap && new GapWatch(session, place, what, options.onGap);
    const consumption: NatsConsumption = new NatsConsumption({
      session,
      delays: this.#delays,
      what,
      place,
      concurrency: options.concurrency,
      handle,
      ensure: (wasThere) => durable.ensure(wasThere),
      onAttached: (info) => void gaps?.look(info),
      onLook: (info) => {
        durable.note(info);
        void gaps?.look(info);
      },
    });
    await consumption.start();
    return consumption;
  }

  async forget(listener: ListenerName): Promise<void> {
    const key = listenerKey(listener);
    const what = `forget ${key}`;
    await this.#session.ready(what);
    const { api, names } = this.#session;
    const { stream, durable, target, delayed, dead, mark } = names.listener(key);
    await told(what, api.deleteConsumer(stream, durable));
    // Delayed ones first, since they would become others.
    await told(what, api.purge(names.tasks, delayed));
    await Promise.all([
      told(what, api.purge(stream, target)),
      told(what, api.purge(names.tasks, dead)),
      told(what, api.purge(names.tasks, mark)),
    ]);
  }

  async inspect(listener: ListenerName): Promise<ListenerInspection> {
    const key = listenerKey(listener);
    const what = `inspect listener ${key}`;
    await this.#session.ready(what);
    const { api, names } = this.#session;
    const { stream, durable, dead, delayed } = names.listener(key);
    const count = (subject: string) => told(what, api.count(names.tasks, subject));
    const [info, deadCount, delayedCount] = await Promise.all([
      told(what, api.consumerInfo(stream, durable)),
      count(dead),
      count(delayed),
    ]);
    return {
      pending: info?.num_pending ?? 0,
      inFlight: info?.num_ack_pending ?? 0,
      delayed: delayedCount,
      dead: deadCount,
    };
  }

  async #publish({ id, type, body }: OutgoingEvent): Promise<void> {
    const { names, publisher, maxPayloadBytes } = this.#session;
    const what = `event ${id}`;
    assertFits(what, body, maxPayloadBytes);
    await publisher.publish({
      what,
      stream: names.events,
      subject: names.event(type),
      messageId: encodeValue(id),
      carried: { id, type, tries: 0 },
      body,
    });
  }
}
