import { persist } from "@intermodal/core/adapter";
import { isIntermodalError, messageOf } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { asIntermodal, closed, unavailable } from "./errors.ts";
import { Pulls } from "./pulls.ts";
import type { Session } from "./session.ts";

export interface PullConsumerOptions {
  readonly session: Session;
  /** In errors and logs, such as `work on queue "default"`. */
  readonly what: string;
  readonly stream: string;
  readonly durable: string;
  /** Makes the durable where it is missing; told whether it was there before on this consumer's watch. */
  readonly ensure: (wasThere: boolean) => Promise<ConsumerInfo>;
  /** Told how the durable stood before anything is asked of it. */
  readonly onAttached?: ((info: ConsumerInfo) => void) | undefined;
  /** Told that the server knows it no more; it is attached again soon. */
  readonly onGone?: (() => void) | undefined;
  readonly capacity: number;
  readonly free: () => number;
  readonly onMessage: (message: Msg) => void;
}

/** After the consumer was lost, and after failures that should not be. */
const AGAIN_MS = 250;
const FAILED_AGAIN_MS = 5_000;

/** A durable that is kept: made where it is missing, asked for messages, and found again after restarts, cuts and deletions. */
export class PullConsumer {
  readonly #options: PullConsumerOptions;
  readonly #pulls: Pulls;
  readonly #started = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  readonly #unwatch: () => void;
  #isStarted = false;
  #attaching = false;
  #stopping = false;
  #cancelAgain = () => {};

  constructor(options: PullConsumerOptions) {
    const { session, stream, durable, capacity, free, onMessage } = options;
    this.#options = options;
    this.#pulls = new Pulls({
      subject: `${session.settings.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${durable}`,
      inboxPrefix: session.settings.connection?.inboxPrefix,
      clock: session.clock,
      lot: Math.ceil(capacity / 4),
      free,
      onMessage,
      onGone: (why) => this.#gone(why),
    });
    this.#unwatch = session.connection.watch({
      up: () => void this.#attach(),
      down: () => this.#pulls.drop(),
    });
    this.#started.promise.catch(() => {});
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  /** Whether the server delivers now. */
  get isConsuming(): boolean {
    return this.#isStarted && !this.#attaching && !this.#stopping && this.#options.session.connection.isUp;
  }

  /** Resolves once the server delivers. @throws `CLOSED`, `CONFIG_INVALID`. */
  start(): Promise<void> {
    void this.#attach();
    return this.#started.promise;
  }

  /** Something has become free. */
  pull(): void {
    if (!this.#stopping) this.#pulls.pull();
  }

  check(): void {
    if (!this.#stopping) this.#pulls.check();
  }

  /** Somebody saw that the durable is no more the one that it was attached to. */
  attachAgain(): void {
    this.#pulls.drop();
    this.#gone("it is not the one that it was");
  }

  /** Asks for nothing more; resolves once everything that the server sent has come. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#end();
    await this.#pulls.drain();
  }

  /** Ends it at once. */
  end(): void {
    this.#stopping = true;
    this.#end();
    this.#pulls.drop();
  }

  #end(): void {
    this.#unwatch();
    this.#over.abort();
    this.#started.reject(closed(this.#options.what));
  }

  async #attach(): Promise<void> {
    if (this.#attaching || this.#stopping) return;
    this.#attaching = true;
    const { session, what } = this.#options;
    try {
      await persist(() => this.#open(), {
        clock: session.clock,
        signal: this.#over.signal,
        onFailure: (error, failures) => {
          if (failures === 1) session.logger.warn(`${what}: not yet possible; trying on`, { error: messageOf(error) });
        },
      });
      if (this.#stopping) return;
      this.#isStarted = true;
      this.#started.resolve();
    } catch (error) {
      if (this.#stopping) return;
      if (!this.#isStarted) {
        this.#started.reject(error);
        this.end();
        return;
      }
      // Once it worked, it is not given up: an operator may be in the middle of a change.
      session.logger.error(`${what}: failed; trying again`, { error: messageOf(error) });
      this.#attachLater(FAILED_AGAIN_MS);
    } finally {
      this.#attaching = false;
    }
  }

  async #open(): Promise<void> {
    const { session, what, ensure, onAttached } = this.#options;
    const { connection, topology } = session;
    const client = await connection.ready(what, session.settings.sendTimeoutMs);
    const { generation } = connection;
    let info: ConsumerInfo;
    try {
      await topology.ensure();
      info = await ensure(this.#isStarted);
    } catch (error) {
      if (isIntermodalError(error)) throw error;
      // The durable's stream may have gone since it was last looked at.
      await topology.ensureAgain();
      throw asIntermodal(what, error);
    }
    if (!connection.isUp || connection.generation !== generation) throw unavailable(what, "the connection was lost");
    if (this.#stopping) return;
    // What was to be done later is done: a new connection may have been quicker.
    this.#cancelAgain();
    onAttached?.(info);
    this.#pulls.open(client);
  }

  #attachLater(delayMs: number): void {
    this.#cancelAgain();
    this.#cancelAgain = this.#options.session.clock.schedule(delayMs, () => void this.#attach());
  }

  #gone(why: string): void {
    const { session, what, onGone } = this.#options;
    if (this.#stopping || !session.connection.isUp) return;
    onGone?.();
    session.logger.warn(`${what}: the consumer is gone (${why}); making it again`);
    this.#attachLater(AGAIN_MS);
  }
}
