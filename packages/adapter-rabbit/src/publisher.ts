import { type Clock, IntermodalError, type IntermodalErrorOptions, isIntermodalError } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import type { Declared } from "./declared.ts";
import { tooLarge } from "./errors.ts";
import type { Link } from "./link.ts";
import { type Batch, Entry, type Publication } from "./publication.ts";
import { Waiting } from "./waiting.ts";
import { Window } from "./window.ts";

/** How long a confirmation may take that was on its way when an alarm came. */
const ALARM_GRACE_MS = 1_000;
/** After a failure that may pass. */
const PAUSE_MS = 200;

export interface PublisherOptions {
  readonly connection: Connection;
  readonly declared: Declared;
  readonly clock: Clock;
  readonly sendTimeoutMs: number;
  /** Told when the broker turns out to take less than was thought; and `undefined` when that is no longer known, since the broker may have been started again with another limit. */
  readonly onLimit: (maxPayloadBytes: number | undefined) => void;
}

/**
 * Publishes with confirms over one channel. What was not written yet when the connection went is written when it is back; what was written without
 * being confirmed fails as `unknown`: RabbitMQ would take it twice. It is written again only where its channel was closed over another message.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #connection: Connection;
  readonly #unlisten: () => void;
  readonly #waiting = new Waiting();
  /** Waiting for what they need to be declared. */
  readonly #preparing = new Set<Entry>();
  #window: Window | undefined;
  /** No longer written to, since the broker does not answer. */
  readonly #retired = new Set<Window>();
  #isOpening = false;
  #isWanted = false;
  #cancelTimer: (() => void) | undefined;
  /** As far as the broker has told. */
  #maxPayloadBytes = Number.POSITIVE_INFINITY;
  #closed: IntermodalError | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#unlisten = this.#connection.listen({
      up: () => {
        this.#forgetLimit();
        this.#pump();
      },
      blocked: (link) => {
        if (link.blocked === undefined) this.#pump();
        else this.#stopFor(link);
      },
    });
  }

  /** Gets ready before the first message. */
  warmUp(): void {
    this.#isWanted = true;
    this.#pump();
  }

  /** Hands over one publication of a batch, which is told what became of it. */
  publish(publication: Publication, deadline: number, batch: Batch, at: number): void {
    const entry = new Entry(publication, deadline, batch, at);
    const blocked = this.#connection.link?.blocked;
    if (this.#closed !== undefined) entry.settle(this.#closed);
    else if (blocked !== undefined && !entry.isPatient) entry.settle(alarm(this.#connection, blocked));
    else {
      this.#waiting.push(entry);
      this.#isWanted = true;
      this.#watch(deadline);
      this.#pump();
    }
  }

  /** Everything that is on its way fails with `CLOSED`. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    const message = "the adapter was closed before RabbitMQ confirmed the message";
    this.#closed = new IntermodalError("CLOSED", message);
    this.#unlisten();
    this.#cancelTimer?.();
    this.#failUnwritten(this.#closed);
    const lost = new IntermodalError("CLOSED", message, { unknown: true });
    for (const entry of this.#unanswered()) entry.settle(lost);
    await Promise.all(this.#windows().map((window) => window.close()));
  }

  #pump(): void {
    const { link } = this.#connection;
    if (this.#closed !== undefined || !this.#isWanted) return;
    if (link === undefined) this.#connect();
    else if (this.#window === undefined) void this.#open(link);
    else if (link.blocked === undefined) this.#write(this.#window, link);
  }

  #write(window: Window, link: Link): void {
    while (window.hasRoom) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      if (entry.publication.isPointless?.()) entry.settle(pointless());
      else if (this.#isTooLong(entry)) entry.settle(this.#tooLong(entry));
      else if (this.#options.declared.has(entry.publication.route.needs)) this.#writeNow(window, entry);
      else void this.#prepare(link, entry);
    }
  }

  #writeNow(window: Window, entry: Entry): void {
    window.write(entry);
    if (this.#cancelTimer === undefined) this.#watch(entry.writtenAt + this.#options.sendTimeoutMs);
  }

  /** Declares what an entry needs, then lets it go on. */
  async #prepare(link: Link, entry: Entry): Promise<void> {
    this.#preparing.add(entry);
    let failure: unknown;
    try {
      await this.#options.declared.declare(link, entry.publication.route.needs);
    } catch (error) {
      failure = error;
    }
    this.#preparing.delete(entry);
    if (failure === undefined) {
      this.#waiting.push(entry);
      this.#pump();
    } else if (isIntermodalError(failure) && failure.code !== "UNAVAILABLE") {
      entry.settle(failure);
    } else {
      this.#waiting.push(entry);
      this.#options.clock.schedule(PAUSE_MS, () => this.#pump());
    }
  }

  /** Whoever waits learns at once of what waiting can't cure. */
  #connect(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const done = (failure?: unknown) => {
      this.#isOpening = false;
      if (isIntermodalError(failure) && failure.code !== "UNAVAILABLE") this.#failUnwritten(failure);
      else if (failure === undefined) this.#pump();
    };
    this.#connection.up().then(() => done(), done);
  }

  async #open(link: Link): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const { clock } = this.#options;
    try {
      const channel = await link.model.createConfirmChannel();
      const window: Window = new Window({
        channel,
        clock,
        onRoom: () => this.#pump(),
        onReturned: (entry) => this.#redeclare(entry),
        onClosed: (unanswered, failure) => this.#afterChannel(window, link, unanswered, failure),
      });
      if (this.#closed !== undefined) void window.close();
      else if (!link.isLost) this.#window = window;
      this.#isOpening = false;
      this.#pump();
    } catch {
      // The link is on its way out, or the broker short of channels: whoever waits gives up at its deadline.
      this.#isOpening = false;
      clock.schedule(PAUSE_MS, () => this.#pump());
    }
  }

  /** Its queue is gone: once more, with another. */
  #redeclare(entry: Entry): void {
    const { needs, routingKey } = entry.publication.route;
    if (entry.redeclared) {
      const message = `there is no queue for ${routingKey}, although it was declared: something deletes it`;
      entry.settle(new IntermodalError("UNROUTABLE", message));
      return;
    }
    entry.returned = false;
    entry.redeclared = true;
    this.#options.declared.forget(needs);
    this.#waiting.push(entry);
  }

  /** The broker has closed the channel, or it went with its connection. */
  #afterChannel(window: Window, link: Link, unanswered: readonly Entry[], failure: unknown): void {
    if (this.#window === window) this.#window = undefined;
    this.#retired.delete(window);
    const refusal = tooLarge(failure);
    const culprit = unanswered.findIndex(({ publication }) => publication.body.byteLength === refusal?.bytes);
    if (refusal !== undefined) this.#learn(refusal.limit);
    if (culprit >= 0) this.#writeAgain(unanswered, culprit);
    else {
      // An exchange may be gone: what was declared is looked at again.
      if (failure !== undefined && !link.isLost)
        for (const { publication } of unanswered) this.#options.declared.forget(publication.route.needs);
      const message = `${this.#connection.server} was lost before it confirmed the message`;
      const lost = new IntermodalError("UNAVAILABLE", message, { cause: failure, unknown: true });
      for (const entry of unanswered) entry.settle(lost);
    }
    this.#pump();
  }

  #learn(limit: number): void {
    this.#maxPayloadBytes = Math.min(this.#maxPayloadBytes, limit);
    this.#options.onLimit(limit);
  }

  #forgetLimit(): void {
    if (this.#maxPayloadBytes === Number.POSITIVE_INFINITY) return;
    this.#maxPayloadBytes = Number.POSITIVE_INFINITY;
    this.#options.onLimit(undefined);
  }

  #isTooLong({ publication }: Entry): boolean {
    return publication.body.byteLength > this.#maxPayloadBytes;
  }

  #tooLong({ publication }: Entry): IntermodalError {
    return new IntermodalError(
      "PAYLOAD_TOO_LARGE",
      `a body of ${publication.body.byteLength} bytes is longer than the ${this.#maxPayloadBytes} that RabbitMQ takes: send a reference instead, or raise its max_message_size`,
    );
  }

  /**
   * One message has cost all others of its channel their confirmations. A channel takes its messages in order: what was written before the culprit may be
   * there, and may come twice now; what was written after it was never looked at.
   */
  #writeAgain(unanswered: readonly Entry[], culprit: number): void {
    for (const [at, entry] of unanswered.entries()) {
      if (this.#isTooLong(entry)) entry.settle(this.#tooLong(entry));
      entry.mayBeThere ||= at < culprit;
      entry.returned = false;
    }
    this.#waiting.unshift(unanswered);
  }

  /** What was read before the alarm is confirmed at once; the rest may be confirmed when it is over, and nobody waits for that. */
  #stopFor(link: Link): void {
    this.#failUnwritten(alarm(this.#connection, link.blocked), isImpatient);
    this.#options.clock.schedule(ALARM_GRACE_MS, () => {
      if (link.blocked === undefined || link.isLost) return;
      const failure = alarm(this.#connection, link.blocked, { unknown: true });
      for (const entry of this.#unanswered()) if (isImpatient(entry)) entry.settle(failure);
    });
  }

  #failUnwritten(failure: IntermodalError, which: (entry: Entry) => boolean = () => true): void {
    for (const entry of this.#preparing) if (which(entry)) entry.settle(failure);
    this.#waiting.fail(failure, which);
  }

  /** One timer for all: whoever came first gives up first. */
  #watch(deadline: number): void {
    if (this.#cancelTimer !== undefined || deadline === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.schedule(deadline - clock.now(), () => {
      this.#cancelTimer = undefined;
      this.#expire(clock.now());
    });
  }

  #expire(now: number): void {
    const { server, link, failure } = this.#connection;
    const seconds = this.#options.sendTimeoutMs / 1_000;
    const unsent =
      link === undefined
        ? new IntermodalError(failure.code, `not sent within ${seconds} s: ${failure.message}`, { cause: failure })
        : new IntermodalError("UNAVAILABLE", `not sent within ${seconds} s: ${server} is too slow`);
    const unanswered = new IntermodalError("UNAVAILABLE", `${server} did not confirm the message within ${seconds} s`, {
      unknown: true,
    });
    let next = Number.POSITIVE_INFINITY;
    const expire = (entries: Iterable<Entry>, error: IntermodalError) => {
      for (const entry of entries) {
        if (entry.isSettled) continue;
        if (entry.deadline <= now) entry.settle(error);
        else next = Math.min(next, entry.deadline);
      }
    };
    expire(this.#preparing, unsent);
    expire(this.#waiting.entries, unsent);
    this.#waiting.dropSettled();
    expire(this.#unanswered(), unanswered);
    this.#watch(Math.min(next, this.#retireSilent(now)));
  }

  /**
   * A broker that restarts may lose a message between its channel and a queue, and from then on confirm nothing more of that channel to that queue: whoever comes
   * next gets another channel. @returns when to look again.
   */
  #retireSilent(now: number): number {
    const { clock, sendTimeoutMs } = this.#options;
    const window = this.#window;
    if (window === undefined) return Number.POSITIVE_INFINITY;
    if (this.#connection.link?.blocked !== undefined) return now + sendTimeoutMs;
    const lookAt = window.owedSince + sendTimeoutMs;
    if (lookAt > now) return lookAt;
    this.#window = undefined;
    this.#retired.add(window);
    clock.schedule(sendTimeoutMs, () => void window.close());
    this.#pump();
    return Number.POSITIVE_INFINITY;
  }

  #windows(): Window[] {
    return this.#window === undefined ? [...this.#retired] : [this.#window, ...this.#retired];
  }

  #unanswered(): Entry[] {
    return this.#windows().flatMap((window) => [...window.unanswered]);
  }
}

function isImpatient(entry: Entry): boolean {
  return !entry.isPatient;
}

function pointless(): IntermodalError {
  return new IntermodalError("UNAVAILABLE", "the delivery that it was to replace is somebody else's by now");
}

function alarm({ server }: Connection, reason = "an alarm", options?: IntermodalErrorOptions): IntermodalError {
  return new IntermodalError(
    "UNAVAILABLE",
    `${server} takes no messages: ${reason}. Free memory or disk on the server, raise its vm_memory_high_watermark, or lower its disk_free_limit`,
    options,
  );
}
