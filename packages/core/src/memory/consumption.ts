import { IntermodalError, isIntermodalError, messageOf } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { type Consumption, type DeliveryHandler, RETRY_AFTER_REJECTION } from "../ports/delivery.ts";
import type { Logger } from "../ports/logger.ts";
import type { MemoryConnection } from "./connection.ts";
import type { Consumer, ConsumerClient } from "./consumer.ts";
import { Hand } from "./hand.ts";
import { MemoryDelivery } from "./memory-delivery.ts";
import type { MessageQueue } from "./message-queue.ts";
import { DELIVERIES_PER_TURN, inNextTurn } from "./turns.ts";

/** How long after its consumer was deleted a client makes a new one. */
const RESUBSCRIBE_MS = 100;

export interface ConsumptionOptions {
  readonly connection: MemoryConnection;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In errors and logs, such as `work on queue "default"`. */
  readonly what: string;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** Finds or makes the queue: on the server's side, each time the consumption begins or comes back. */
  readonly queue: () => MessageQueue;
  readonly handle: DeliveryHandler;
  readonly onGap?: ((missed: number) => void) | undefined;
}

/**
 * The client's side of a consumption. Whatever is here counts a slot as taken from `take` until the server has its settlement, so
 * that the slots offered to the server after a reconnect are exactly those that are free.
 */
export class MemoryConsumption implements Consumption, ConsumerClient {
  readonly #options: ConsumptionOptions;
  readonly #connection: MemoryConnection;
  readonly #clock: Clock;
  readonly #started = Promise.withResolvers<void>();
  readonly #hand = new Hand();
  #unsettled: MemoryDelivery[] = [];
  #running = 0;
  #attached: { readonly queue: MessageQueue; readonly consumer: Consumer } | undefined;
  #attaching = false;
  #settling = false;
  #awake = false;
  #renewing = false;
  #handedThisTurn = 0;
  #closing = false;
  /** The adapter was closed: nothing more is asked of the server. */
  #over = false;
  readonly #onQuiet = new Set<() => void>();
  readonly #unlisten: readonly (() => void)[];

  constructor(options: ConsumptionOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#unlisten = [
      this.#connection.onLost(() => this.#detach()),
      this.#connection.onBack(() => this.#comeBack()),
      this.#connection.onClosed(() => this.#end()),
    ];
  }

  /** Resolves once the server delivers. @throws `CLOSED`. */
  start(): Promise<void> {
    void this.#attach();
    return this.#started.promise;
  }

  /** Without `timeoutMs` it waits as long as handlers run. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<{ readonly running: number }> {
    this.#closing = true;
    try {
      await this.#connection.call(`close: ${this.#options.what}`, () => this.#detach());
    } catch {
      // Without a connection there is no consumer either.
    }
    await this.#quiet(options.timeoutMs);
    this.#letGoWhenDone();
    return { running: this.#running };
  }

  wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    queueMicrotask(this.#drain);
  }

  removed(): void {
    this.#attached = undefined;
    this.#clock.schedule(RESUBSCRIBE_MS, () => void this.#attach());
  }

  /** Hands over what was given, with a turn for the rest of the process now and then. */
  readonly #drain = (): void => {
    this.#awake = false;
    this.#tellGap();
    while (this.#attached !== undefined && !this.#closing) {
      if (this.#handedThisTurn >= DELIVERIES_PER_TURN) {
        this.#awake = true;
        inNextTurn(this.#drainOn);
        return;
      }
      const { queue, consumer } = this.#attached;
      const message = consumer.take();
      if (message === undefined) return;
      this.#handedThisTurn++;
      const delivery = new MemoryDelivery(queue, message);
      this.#hand.take(delivery);
      if (!this.#renewing) this.#renewLater();
      void this.#run(delivery);
    }
  };

  readonly #drainOn = (): void => {
    this.#handedThisTurn = 0;
    this.#drain();
  };

  async #run(delivery: MemoryDelivery): Promise<void> {
    this.#running++;
    try {
      delivery.settlement = await this.#options.handle(delivery);
    } catch {
      delivery.settlement = RETRY_AFTER_REJECTION;
    }
    this.#running--;
    this.#unsettled.push(delivery);
    if (!this.#settling) void this.#settle();
  }

  /** Brings settlements to the server, all that gathered meanwhile in one request. What can't be brought is kept until the connection is back. */
  async #settle(): Promise<void> {
    this.#settling = true;
    while (this.#unsettled.length > 0 && !this.#over) {
      try {
        await this.#connection.call("settle", this.#settleOnServer);
      } catch (error) {
        if (!this.#worthRetrying(error)) break;
      }
    }
    this.#settling = false;
    for (const check of this.#onQuiet) check();
    if (this.#closing) this.#letGoWhenDone();
  }

  readonly #settleOnServer = (): void => {
    const batch = this.#unsettled;
    this.#unsettled = [];
    let queue: MessageQueue | undefined;
    for (const delivery of batch) {
      if (queue !== delivery.queue) queue?.pump();
      queue = delivery.queue;
      const dropped = queue.dead.dropped;
      delivery.settle();
      if (queue.dead.dropped > dropped) this.#warn("its dead letters are full, the oldest was dropped");
      this.#hand.putDown(delivery);
    }
    this.#attached?.consumer.addFree(batch.length);
    queue?.pump();
  };

  /** One attempt at a time; while the connection is down, the next one comes with {@link #comeBack}. */
  async #attach(): Promise<void> {
    if (this.#attaching) return;
    this.#attaching = true;
    while (this.#attached === undefined && !this.#closing && !this.#over) {
      try {
        lose(await this.#connection.call(this.#options.what, this.#attachOnServer));
      } catch (error) {
        if (!this.#worthRetrying(error)) break;
      }
    }
    this.#attaching = false;
    if (this.#attached !== undefined) this.#started.resolve();
  }

  /** Only an answer that was lost on a connection that is back already. */
  #worthRetrying(error: unknown): boolean {
    if (isIntermodalError(error, "UNAVAILABLE")) return this.#connection.isUp;
    if (!this.#over) this.#options.logger.error(`${this.#options.what} failed`, { error: messageOf(error) });
    this.#started.reject(error);
    return false;
  }

  /** @returns the deliveries that were lost meanwhile. */
  readonly #attachOnServer = (): readonly MemoryDelivery[] => {
    this.#settleOnServer();
    const lost = this.#hand.renewAll();
    if (this.#closing || this.#attached !== undefined) return lost;
    const queue = this.#options.queue();
    const consumer = queue.subscribe(this);
    this.#attached = { queue, consumer };
    consumer.addFree(this.#options.concurrency - this.#hand.size);
    return lost;
  };

  #detach(): void {
    this.#attached?.consumer.drop();
    this.#attached = undefined;
  }

  #comeBack(): void {
    if (!this.#closing) void this.#attach();
    else if (!this.#settling) void this.#settle();
  }

  /** One timer for all that is in hand. */
  #renewLater(): void {
    this.#renewing = true;
    // Rounded up, so that the third one does not fall just short of the lease's end.
    this.#clock.schedule(Math.ceil(this.#options.leaseMs / 3), () => {
      this.#renewing = false;
      if (this.#hand.size === 0 || this.#over || this.#connection.isKilled) return;
      this.#renewLater();
      if (this.#connection.isUp) void this.#renew();
      else this.#hand.loseExpired(this.#clock.now());
    });
  }

  async #renew(): Promise<void> {
    try {
      lose(await this.#connection.call("renew", () => this.#hand.renewAll()));
    } catch {
      // The next one comes long before the lease has run out.
    }
  }

  #tellGap(): void {
    const missed = this.#attached?.consumer.takeMissed() ?? 0;
    if (missed === 0) return;
    try {
      this.#options.onGap?.(missed);
    } catch (error) {
      this.#options.logger.error(`${this.#options.what}: onGap failed`, { error: messageOf(error) });
    }
  }

  #warn(message: string): void {
    this.#options.logger.warn(`${this.#options.what}: ${message}`);
  }

  /** Resolves when no handler runs and what they said has been brought to the server, if it can be. */
  #quiet(timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#onQuiet.delete(check);
        cancel?.();
        resolve();
      };
      const check = () => {
        if (this.#running === 0 && !this.#settling) done();
      };
      const cancel = timeoutMs === undefined ? undefined : this.#clock.schedule(timeoutMs, done);
      this.#onQuiet.add(check);
      check();
    });
  }

  #letGoWhenDone(): void {
    if (this.#hand.size === 0) for (const stop of this.#unlisten) stop();
  }

  #end(): void {
    this.#over = true;
    this.#closing = true;
    this.#started.reject(new IntermodalError("CLOSED", `${this.#options.what}: the adapter has been closed`));
    this.#hand.loseExpired(Number.POSITIVE_INFINITY);
    for (const stop of this.#unlisten) stop();
  }
}

function lose(deliveries: readonly MemoryDelivery[]): void {
  for (const delivery of deliveries) delivery.lose();
}
