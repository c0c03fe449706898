import { Handling, HeldDelivery } from "@intermodal/core/adapter";
import { type Consumption, type DeliveryHandler, sleep } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { Custody } from "./custody.ts";
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
  /** Told now and then how the durable stands. */
  readonly onLook?: ((info: ConsumerInfo) => void) | undefined;
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
  readonly #custody: Custody;
  readonly #handedBack = new Set<Promise<void>>();
  #stopped: Promise<void> | undefined;
  #isStopped = false;
  #isOver = false;
  /** By how much the clock was set back, as far as has shown. */
  #setBackMs = 0;
  /** The next tick's `#time`; it never comes sooner. */
  #tickAt = 0;
  #lookAt = 0;
  /** `#time` when this process is known to have read all that had come. */
  #awakeAt = 0;
  #isNoting = false;

  constructor(options: ConsumptionOptions) {
    const { session, what, place, concurrency, handle, ensure, onAttached } = options;
    const { clock, logger } = session;
    this.#options = options;
    this.#session = session;
    this.place = place;
    this.#custody = new Custody({
      session,
      what,
      place,
      time: () => this.#time,
      onSeen: (created) => this.#handling.lose(({ raw }) => raw.durableCreated !== created),
      onOther: () => this.#consumer.attachAgain(),
    });
    this.#settlements = new Settlements(session, place, (delivery, doubts) => this.#custody.assure(delivery, doubts));
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
        this.#custody.attached(info);
        this.#loseForgotten(info);
        onAttached?.(info);
      },
      onGone: () => this.#custody.doubt(),
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
    this.#awakeAt = this.#time;
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
  async close({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<{ readonly running: number }> {
    const done = [this.#stop().then(() => this.#handling.quiet(undefined))];
    if (timeoutMs !== undefined) done.push(sleep(this.#session.clock, timeoutMs).then(() => this.#handling.quiet(0)));
    const result = await Promise.race(done);
    this.#letGoWhenDone();
    return result;
  }

  /** With the adapter: what is in hand is lost, what comes too late is handed back. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#handling.lose(() => true);
    await Promise.race([this.#stop(), sleep(this.#session.clock, FAREWELL_MS)]);
  }

  /** Resolves once all that the server sent has come, and what no handler was given is handed back. */
  #stop(): Promise<void> {
    this.#stopped ??= this.#consumer.stop().then(async () => {
      await Promise.all(this.#handedBack);
      this.#isStopped = true;
    });
    return this.#stopped;
  }

  /** What a server that was killed has forgotten to have delivered, it delivers again. */
  #loseForgotten({ delivered }: ConsumerInfo): void {
    this.#handling.lose(({ raw }) => raw.sequence > delivered.stream_seq);
  }

  #receive(message: Msg): void {
    const { names, clock, settings, logger } = this.#session;
    const { what } = this.#options;
    // Before one more is in hand, whose lease is reckoned by the clock as it is now.
    this.#followSetBack(this.#tickAt - this.#tickMs);
    const ackSubject = message.reply ?? "";
    const { sequence, delivered, storedAt } = readAckSubject(ackSubject);
    const { carried } = readHeaders(message.headers, {
      id: `${this.place.stream}:${sequence}`,
      type: names.eventType(message.subject),
    });
    const { data } = message;
    // The server may have sent it as soon as this process had read what came before.
    const leaseUntil = Math.min(this.#awakeAt, this.#time) - this.#setBackMs + FIRST_LEASE * settings.leaseMs;
    this.#noteAwake();
    if (leaseUntil <= clock.now()) {
      logger.warn(`${what}: the process was blocked for a lease; message ${carried.id} comes again`);
      this.#consumer.pull();
      return;
    }
    const delivery = new HeldDelivery<Raw>({
      id: carried.id,
      type: carried.type,
      // The client hands out a Buffer where it read one.
      body: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      attempt: carried.tries + delivered,
      sentAt: carried.sentAt ?? storedAt,
      raw: { ackSubject, sequence, leaseUntil, durableCreated: this.#custody.durableCreated, takenAt: this.#time },
    });
    if (!this.#consumer.isStopping) {
      this.#renewIfDue(delivery);
      this.#handling.take(delivery);
      return;
    }
    const handedBack = this.#settlements
      .handBack(delivery)
      .catch((error: unknown) => {
        logger.warn(`${what}: message ${delivery.id} could not be handed back`, { error: String(error) });
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
      this.#noteAwake();
      this.#tickLater();
      this.#tick();
    });
  }

  #noteAwake(): void {
    if (this.#isNoting) return;
    this.#isNoting = true;
    const at = this.#time;
    // By then all is read that came while the process was blocked, if it was.
    setImmediate(() => {
      this.#isNoting = false;
      this.#awakeAt = at;
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
    const { clock, connection } = this.#session;
    const now = clock.now();
    this.#handling.lose(({ raw }) => raw.leaseUntil <= now);
    this.#consumer.check();
    this.#letGoWhenDone();
    if (!connection.isUp) return;
    for (const delivery of this.#handling.held) this.#renewIfDue(delivery);
    if (this.#time < this.#lookAt) return;
    this.#lookAt = this.#time + LOOK_MS;
    const { onLook } = this.#options;
    // Who asks for nothing, since all places are taken, is not told that the durable is gone.
    if (onLook !== undefined || this.#handling.held.size > 0)
      void this.#custody.look().then((info) => info && onLook?.(info));
  }

  #renewIfDue(delivery: Held): void {
    const { clock, settings } = this.#session;
    if (!delivery.isLost && delivery.raw.leaseUntil - clock.now() < RENEW_BELOW * settings.leaseMs)
      void this.#renew(delivery);
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
      // The next one comes before the lease has run out. Perhaps nobody is there any more to answer.
      if (connection.isUp) void this.#custody.look();
    }
  }

  #letGoWhenDone(): void {
    if (!this.#isStopped || this.#handling.held.size > 0) return;
    this.#isOver = true;
    this.#session.remove(this);
  }
}
