import type { Clock } from "@intermodal/core/ports";
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { statusOf } from "./headers.ts";

export interface PullsOptions {
  /** Where to ask for messages: `$JS.API.CONSUMER.MSG.NEXT.<stream>.<durable>`. */
  readonly subject: string;
  readonly inboxPrefix: string | undefined;
  readonly clock: Clock;
  /** How many more messages the consumer could hold now. */
  readonly free: () => number;
  /** While some are asked for already, more are asked for only in lots of this size. */
  readonly lot: number;
  readonly onMessage: (message: Msg) => void;
  /** The consumer was deleted or answers no more: nothing comes until it is opened anew. */
  readonly onGone: (why: string) => void;
}

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_500;
/** Past this much silence the server has forgotten what it was asked for. */
const SILENCE_MS = 2.5 * HEARTBEAT_MS;
/** More than this between two checks was no silence: the process was blocked, and what came waits to be read, or the clock was set. */
const CHECKED_MS = HEARTBEAT_MS;
const NANOSECONDS = 1_000_000;

/**
 * Asks a pull consumer for no more messages than are free: the client's own `consume` prefetches, and what waits in a buffer uses up its lease and counts
 * as tried. Each opening has an inbox of its own, so that what an earlier connection asked for never comes on top.
 */
export class Pulls {
  readonly #options: PullsOptions;
  #client: NatsConnection | undefined;
  #subscription: Subscription | undefined;
  #inbox = "";
  #asked = 0;
  #number = 0;
  /** For how long the server has said nothing, as far as checks have counted. */
  #silentMs = 0;
  #checkedAt = 0;

  constructor(options: PullsOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#subscription !== undefined;
  }

  open(client: NatsConnection): void {
    this.drop();
    const { inboxPrefix } = this.#options;
    this.#client = client;
    this.#inbox = `${createInbox(inboxPrefix)}.`;
    this.#asked = 0;
    const subscription = client.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(subscription, message);
      },
    });
    this.#subscription = subscription;
    this.pull();
  }

  /** Asks for what is free. */
  pull(): void {
    if (this.#subscription === undefined) return;
    const { subject, free, lot } = this.#options;
    const wanted = free() - this.#asked;
    if (wanted <= 0 || (this.#asked > 0 && wanted < lot)) return;
    // While nothing was asked for, nothing was to be heard.
    if (this.#asked === 0) this.#hear();
    this.#asked += wanted;
    this.#number++;
    const request = `{"batch":${wanted},"expires":${EXPIRES_MS * NANOSECONDS},"idle_heartbeat":${HEARTBEAT_MS * NANOSECONDS}}`;
    try {
      this.#client?.publish(subject, request, { reply: `${this.#inbox}${this.#number.toString(36)}` });
    } catch {
      // The client was closed under us; whoever watches the connection is told.
    }
  }

  /** Looks whether the server still remembers what it was asked for; call it every second or so. */
  check(): void {
    const now = this.#options.clock.now();
    this.#silentMs += Math.min(Math.max(now - this.#checkedAt, 0), CHECKED_MS);
    this.#checkedAt = now;
    if (this.#subscription === undefined || this.#asked === 0) return;
    if (this.#silentMs > SILENCE_MS) this.#gone("it answers no more");
  }

  #hear(): void {
    this.#silentMs = 0;
    this.#checkedAt = this.#options.clock.now();
  }

  /** Asks for nothing more. Resolves once all that the server sent before it knew has been given to `onMessage`. */
  async drain(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    // A connection that is away brings nothing more.
    await subscription?.drain().catch(() => {});
  }

  /** Forgets what was asked for, at once. */
  drop(): void {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    subscription?.unsubscribe();
  }

  #receive(subscription: Subscription, message: Msg): void {
    const { onMessage } = this.#options;
    this.#hear();
    const status = statusOf(message);
    if (status === 0) {
      this.#asked--;
      onMessage(message);
      return;
    }
    // A status that comes while draining is nobody's business any more.
    if (status === 100 || subscription !== this.#subscription) return;
    const left = Number(message.headers?.get("Nats-Pending-Messages"));
    if ((status === 408 || status === 404) && left >= 0) {
      this.#asked -= left;
      this.pull();
      return;
    }
    this.#gone(`the server answered ${message.headers?.status || status}`);
  }

  #gone(why: string): void {
    this.drop();
    this.#options.onGone(why);
  }
}
