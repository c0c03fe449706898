import { Handling, HeldDelivery } from "@intermodal/core/adapter";
import { type Consumption, type DeliveryHandler, sleep } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import type { Delays } from "./delays.ts";
import { readAckSubject, readHeaders } from "./headers.ts";
import type { PlaceNames } from "./names.ts";
import { PullConsumer } from "./pull-consumer.ts";
import type { Ending, Session } from "./session.ts";
import { type Held, type Raw, Settlements } from "./settlement.ts";

export interface ConsumptionOptions {
  readonly session: Session;
  /** In errors and logs, such as `work on queue "default"`. */
  readonly what: string;
  readonly place: PlaceNames;
  readonly concurrency: number;
  readonly handle: DeliveryHandler;
  /** As {@link PullConsumer}'s. */
  readonly ensure: (wasThere: boolean) => Promise<ConsumerInfo>;
  readonly onAttached?: ((info: ConsumerInfo) => void) | undefined;
  /** Looked after as long as anything is consumed. */
  readonly delays: Delays;
  /** Now and then while it is attached. */
  readonly onLook?: (() => void) | undefined;
}

/** Renewed when less than this share of the lease is left. */
const RENEW_BELOW = 2 / 3;
const TICKS_PER_LEASE = 6;
/** Of the first lease: the server began to count when it sent the message. */
const FIRST_LEASE = 0.9;
const LOOK_MS = 15_000;
const FAREWELL_MS = 1_000;
const WPI = new TextEncoder().encode("+WPI");

/** A queue or listener consumed by this process: pulls no more than is free, keeps leases, settles. */
export class NatsConsumption implements Consumption, Ending {
  readonly place: PlaceNames;
  readonly #options: ConsumptionOptions;
  readonly #session: Session;
  readonly #settlements: Settlements;
  readonly #handling: Handling<Raw>;
  readonly #consumer: PullConsumer;
  readonly #handedBack = new Set<Promise<void>>();
  #stopped: Promise<void> | undefined;
  #isOver = false;
  /** By how much the clock was set back, as far as has shown. */
  #setBackMs = 0;
  /** The next tick's `#time`; it never comes sooner. */
  #tickAt = 0;
  #lookAt = 0;

  constructor(options: ConsumptionOptions) {
    const { session, what, place, concurrency, handle, ensure, onAttached } = options;
    const { clock, logger } = session;
    this.#options = options;
    this.#session = session;
    this.place = place;
    this.#settlements = new Settlements(session, place);
    this.#handling = new Handling<Raw>({
      what,
      concurrency,
      handle,
      settle: (delivery, settlement) => this.#settlements.settle(delivery, settlement),
      onFree: () => this.#consumer.pull(),
      clock,
      logger,
    });
    this.#consumer = new PullConsumer({
      session,
      what,
      stream: place.stream,
      durable: place.durable,
      ensure,
      onAttached: (info) => {
        this.#loseForgotten(info);
        onAttached?.(info);
      },
      capacity: concurrency,
      free: () => this.#handling.free,
      onMessage: (message) => this.#receive(message),
    });
  }

  /** Whether the server delivers to it now. */
  get isConsuming(): boolean {
    return this.#consumer.isConsuming;
  }

  /** Resolves once the server delivers. @throws `CLOSED`, `CONFIG_INVALID`. */
  async start(): Promise<void> {
    this.#session.add(this);
    this.#lookAt = this.#time + LOOK_MS;
    this.#tickLater();
    try {
      await this.#consumer.start();
    } catch (error) {
      this.#isOver = true;
      this.#session.remove(this);
      throw error;
    }
    this.#options.delays.start();
  }

  /** Without `timeoutMs` it waits as long as handlers run. */
  async close(options: { readonly timeoutMs?: number | undefined } = {}): Promise<{ readonly running: number }> {
    this.#stopped ??= this.#consumer.stop();
    await this.#stopped;
    await Promise.all(this.#handedBack);
    const result = await this.#handling.quiet(options.timeoutMs);
    this.#letGoWhenDone();
    return result;
  }

  /** With the adapter: what is in hand is lost, what comes too late is handed back. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#handling.lose(() => true);
    this.#stopped ??= this.#consumer.stop();
    const handedBack = this.#stopped.then(() => Promise.all(this.#handedBack));
    await Promise.race([handedBack, sleep(this.#session.clock, FAREWELL_MS)]);
  }

  /** What a server that was killed has forgotten to have delivered, it delivers again. */
  #loseForgotten({ delivered }: ConsumerInfo): void {
    this.#handling.lose(({ raw }) => raw.sequence > delivered.stream_seq);
  }

  #receive(message: Msg): void {
    const { names, clock, settings, logger } = this.#session;
    // Before one more is in hand, whose lease is reckoned by the clock as it is now.
    this.#followSetBack(this.#tickAt - this.#tickMs);
    const ackSubject = message.reply ?? "";
    const { sequence, delivered, storedAt } = readAckSubject(ackSubject);
    const { carried } = readHeaders(message.headers, {
      id: `${this.place.stream}:${sequence}`,
      type: names.eventType(message.subject),
    });
    const { data } = message;
    const delivery: Held = new HeldDelivery<Raw>({
      id: carried.id,
      type: carried.type,
      // The client hands out a Buffer where it read one.
      body: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      attempt: carried.tries + delivered,
      sentAt: carried.sentAt ?? storedAt,
      raw: { ackSubject, sequence, leaseUntil: clock.now() + FIRST_LEASE * settings.leaseMs },
    });
    if (!this.#consumer.isStopping) {
      this.#handling.take(delivery);
      return;
    }
    const handedBack = this.#settlements
      .handBack(delivery)
      .catch((error: unknown) => {
        logger.warn(`${this.#options.what}: message ${delivery.id} could not be handed back`, { error: String(error) });
      })
      .finally(() => this.#handedBack.delete(handedBack));
    this.#handedBack.add(handedBack);
  }

  get #tickMs(): number {
    return this.#session.settings.leaseMs / TICKS_PER_LEASE;
  }

  /** The clock's, had it never been set back. */
  get #time(): number {
    return this.#session.clock.now() + this.#setBackMs;
  }

  #tickLater(): void {
    this.#tickAt = this.#time + this.#tickMs;
    this.#session.clock.schedule(this.#tickMs, () => {
      if (this.#isOver) return;
      this.#followSetBack(this.#tickAt);
      this.#tickLater();
      this.#tick();
    });
  }

  /** A clock that falls short of a time that has come was set back: the leases that were reckoned by it end no later for that. */
  #followSetBack(hasCome: number): void {
    const setBackMs = hasCome - this.#time;
    if (setBackMs <= 0) return;
    this.#setBackMs += setBackMs;
    for (const { raw } of this.#handling.held) raw.leaseUntil -= setBackMs;
  }

  #tick(): void {
    const { clock, connection, settings } = this.#session;
    const now = clock.now();
    this.#handling.lose(({ raw }) => raw.leaseUntil <= now);
    this.#consumer.check();
    this.#letGoWhenDone();
    if (!connection.isUp) return;
    for (const delivery of this.#handling.held) {
      if (!delivery.isLost && delivery.raw.leaseUntil - now < RENEW_BELOW * settings.leaseMs)
        void this.#renew(delivery);
    }
    if (this.#time < this.#lookAt) return;
    this.#lookAt = this.#time + LOOK_MS;
    this.#options.onLook?.();
  }

  /** The lease is ours for longer only once the server has said so, counted from when we asked. */
  async #renew(delivery: Held): Promise<void> {
    const { clock, connection, settings } = this.#session;
    const { raw } = delivery;
    const askedAt = this.#time;
    try {
      await connection.requests.send({
        subject: raw.ackSubject,
        payload: WPI,
        deadline: clock.now() + this.#tickMs,
        what: "renewing a lease",
      });
      raw.leaseUntil = Math.max(raw.leaseUntil, askedAt - this.#setBackMs + settings.leaseMs);
    } catch {
      // The next one comes before the lease has run out.
    }
  }

  #letGoWhenDone(): void {
    if (!this.#consumer.isStopping || this.#handling.held.size > 0 || this.#handedBack.size > 0) return;
    this.#isOver = true;
    this.#session.remove(this);
  }
}
