import { Handling, HeldDelivery, persist } from "@intermodal/core/adapter";
import {
  type Consumption,
  type Delivery,
  type DeliveryHandler,
  IntermodalError,
  isIntermodalError,
  messageOf,
  sleep,
} from "@intermodal/core/ports";
import type { ConsumeMessage } from "amqplib";
import type { Client } from "./client.ts";
import { channelFailure } from "./errors.ts";
import type { Place } from "./names.ts";
import { type Raw, Settler } from "./settlement.ts";
import { Subscription } from "./subscription.ts";
import type { Declaration } from "./topology.ts";

/** Before a consumer is made again that was lost while its connection stayed. */
const RESUBSCRIBE_MS = 100;

export interface ConsumptionOptions {
  readonly client: Client;
  readonly place: Place;
  readonly concurrency: number;
  readonly handle: DeliveryHandler;
  /** What has to exist before it can be consumed: declared each time, since it may have been deleted. */
  readonly needs: readonly Declaration[];
  readonly read: (message: ConsumeMessage) => Omit<Delivery, "signal">;
  /** Called with what nobody wants here any more: it is acknowledged unseen. */
  readonly isUnwanted?: ((delivery: HeldDelivery<Raw>) => boolean) | undefined;
}

/** Consumes one place over one subscription after the other. */
export class RabbitConsumption implements Consumption {
  readonly #options: ConsumptionOptions;
  readonly #what: string;
  readonly #handling: Handling<Raw>;
  readonly #settler: Settler;
  readonly #ending = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  readonly #handingBack = new Set<Promise<void>>();
  #subscription: Subscription | undefined;
  /** Deliveries of earlier subscriptions may still be in the hands of handlers, and take their slots. */
  #hasStrays = false;
  #isStarted = false;
  #isClosing = false;

  constructor(options: ConsumptionOptions) {
    const { client, place, concurrency, handle } = options;
    const { clock, logger } = client.options;
    this.#options = options;
    this.#what = `consuming ${place.what}`;
    this.#settler = new Settler({ place, routes: client.routes, sender: client.sender, clock });
    this.#handling = new Handling({
      what: this.#what,
      concurrency,
      handle,
      settle: (delivery, settlement) => this.#settler.settle(delivery, settlement),
      onFree: () => this.#onFree(),
      clock,
      logger,
    });
    client.consumptions.add(this);
  }

  get place(): Place {
    return this.#options.place;
  }

  /** Whether the broker delivers to it now. */
  get isConsuming(): boolean {
    return this.#subscription !== undefined;
  }

  /** Resolves once the broker delivers. @throws `CLOSED`, `CONFIG_INVALID`. */
  start(): Promise<void> {
    void this.#keepSubscribed();
    // What is not acknowledged is published again.
    this.#options.client.sender.warmUp();
    return this.#started.promise;
  }

  async close({ timeoutMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<{ readonly running: number }> {
    const { clock } = this.#options.client.options;
    this.#isClosing = true;
    this.#ending.abort();
    const limit = timeoutMs === undefined ? undefined : new AbortController();
    const late = limit === undefined ? NEVER : sleep(clock, timeoutMs ?? 0, limit.signal);
    const until = clock.now() + (timeoutMs ?? 0);
    await Promise.race([this.#subscription?.cancel(), late]);
    await Promise.race([Promise.all(this.#handingBack), late]);
    limit?.abort();
    const quiet = await this.#handling.quiet(timeoutMs === undefined ? undefined : Math.max(0, until - clock.now()));
    this.#finishWhenDone();
    return quiet;
  }

  /** The adapter was closed: whatever is in hand goes back. */
  end(): void {
    this.#isClosing = true;
    this.#ending.abort();
    this.#started.reject(new IntermodalError("CLOSED", `${this.#what}: the adapter has been closed`));
    this.#handling.lose(() => true);
    this.#finish();
  }

  async #keepSubscribed(): Promise<void> {
    const { clock, logger } = this.#options.client.options;
    try {
      while (!this.#isClosing) {
        const { ended } = await persist(() => this.#subscribe(), {
          clock,
          signal: this.#ending.signal,
          onFailure: (error, failures) => {
            if (failures === 3) logger.warn(`${this.#what} has to wait`, { error: messageOf(error) });
          },
        });
        this.#isStarted = true;
        this.#started.resolve();
        const why = await ended;
        if (this.#isClosing) return;
        logger.warn(`${this.#what}: its consumer is lost, making another`, { error: why });
        await sleep(clock, RESUBSCRIBE_MS, this.#ending.signal);
      }
    } catch (error) {
      this.#started.reject(error);
      if (!this.#isStarted) this.#finish();
    }
  }

  /** Resolves once the broker delivers; `ended` then tells why it stops. Each try has its own, since one that fails may have ended too. */
  async #subscribe(): Promise<{ readonly ended: Promise<string> }> {
    const { client, place, needs, concurrency } = this.#options;
    const ended = Promise.withResolvers<string>();
    const { consuming, declared } = client.options.connections;
    const link = await consuming.up();
    try {
      await declared.declare(link, [client.topology.base]);
      await declared.declareAgain(link, needs);
      const channel = await link.channel();
      const subscription = new Subscription({
        channel,
        link,
        queue: place.queue,
        onMessage: (from, message) => this.#onMessage(from, message),
        onEnd: (from, why) => {
          this.#onEnd(from);
          ended.resolve(why);
        },
      });
      if (this.#isClosing) client.farewell(subscription.close());
      else {
        this.#subscription = subscription;
        await subscription.offer(concurrency - this.#handling.held.size);
      }
      return { ended: ended.promise };
    } catch (error) {
      if (this.#subscription !== undefined) client.farewell(this.#subscription.close());
      this.#subscription = undefined;
      const failure = channelFailure(this.#what, error);
      // Once it worked, whatever is wrong may be mended where it broke.
      throw this.#isStarted && isIntermodalError(failure)
        ? new IntermodalError("UNAVAILABLE", failure.message, { cause: failure })
        : failure;
    }
  }

  #onMessage(subscription: Subscription, message: ConsumeMessage): void {
    const { read, isUnwanted } = this.#options;
    const delivery = new HeldDelivery<Raw>({ ...read(message), raw: { message, subscription } });
    if (isUnwanted?.(delivery)) subscription.ack(message);
    else if (this.#isClosing) this.#handBack(delivery);
    else this.#handling.take(delivery);
  }

  #onEnd(subscription: Subscription): void {
    if (this.#subscription === subscription) this.#subscription = undefined;
    this.#handling.lose(({ raw }) => raw.subscription === subscription);
    this.#hasStrays = this.#handling.held.size > 0;
    if (this.#isClosing) this.#finishWhenDone();
  }

  /** A delivery that raced with the end of its consumer. */
  #handBack(delivery: HeldDelivery<Raw>): void {
    const handing = this.#settler
      .handBack(delivery)
      .catch(() => {})
      .then(() => {
        this.#handingBack.delete(handing);
        this.#finishWhenDone();
      });
    this.#handingBack.add(handing);
  }

  #onFree(): void {
    if (this.#isClosing) this.#finishWhenDone();
    else if (this.#hasStrays) this.#offerWhatStraysHeld();
  }

  #offerWhatStraysHeld(): void {
    const subscription = this.#subscription;
    if (subscription === undefined) return;
    let strays = 0;
    for (const { raw } of this.#handling.held) if (raw.subscription !== subscription) strays++;
    this.#hasStrays = strays > 0;
    // What fails here fails the subscription, which is told by its end.
    subscription.offer(this.#options.concurrency - strays - subscription.offered).catch(() => {});
  }

  #finishWhenDone(): void {
    if (this.#isClosing && this.#handling.held.size === 0 && this.#handingBack.size === 0) this.#finish();
  }

  #finish(): void {
    const { client } = this.#options;
    if (this.#subscription !== undefined) client.farewell(this.#subscription.close());
    this.#subscription = undefined;
    client.consumptions.delete(this);
  }
}

const NEVER = new Promise<never>(() => {});
