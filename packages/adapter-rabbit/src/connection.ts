import type { Duplex } from "node:stream";
import { persist } from "@intermodal/core/adapter";
import { type Clock, IntermodalError, type Logger, messageOf, sleep } from "@intermodal/core/ports";
import type { ChannelModel } from "amqplib";
import { connectFailure } from "./errors.ts";
import { Link } from "./link.ts";

/** How long a broker may take to answer a good-bye. */
const GOODBYE_MS = 1_000;

/** The oldest RabbitMQ whose quorum queues keep a time to live. */
const OLDEST: readonly [number, number] = [3, 10];

/** Told how a connection fares; at once, so that nothing is done on a link that is lost. */
export interface ConnectionListener {
  up?(link: Link): void;
  lost?(link: Link): void;
  /** RabbitMQ takes nothing more from it, or does again. */
  blocked?(link: Link): void;
}

export interface ConnectionOptions {
  /** In errors and logs, without credentials, such as `RabbitMQ at amqp://host:5672 (publishing)`. */
  readonly server: string;
  /** Opens the driver's connection. */
  readonly open: () => Promise<ChannelModel>;
  /** Whether it has to be closed: not when it is the host application's. */
  readonly own: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One connection to RabbitMQ that comes back for ever, made at its first use. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listeners = new Set<ConnectionListener>();
  readonly #ending = new AbortController();
  #link: Link | undefined;
  #opening: Promise<Link> | undefined;
  #wasUp = false;
  #failure: IntermodalError | undefined;
  #unfollow = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get server(): string {
    return this.#options.server;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** Why there is no link now. */
  get failure(): IntermodalError {
    return this.#failure ?? new IntermodalError("UNAVAILABLE", `${this.server} is not connected yet`);
  }

  /** Whether anything has used it. */
  get isUsed(): boolean {
    return this.#link !== undefined || this.#opening !== undefined || this.#failure !== undefined;
  }

  /**
   * The link, once there is one. Before the first there was one, it rejects with what trying again cannot cure; later everything counts as an outage.
   * @throws `CONFIG_INVALID`; the last failure once it is closed.
   */
  up(): Promise<Link> {
    if (this.#link !== undefined) return Promise.resolve(this.#link);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** As {@link up}, but no longer than this. @throws `UNAVAILABLE`. */
  async upWithin(timeoutMs: number): Promise<Link> {
    const waiting = new AbortController();
    const late = sleep(this.#options.clock, timeoutMs, waiting.signal).then((): never => {
      throw this.failure;
    });
    late.catch(() => {});
    try {
      return await Promise.race([this.up(), late]);
    } finally {
      waiting.abort();
    }
  }

  /** @returns stops telling. */
  listen(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    const link = this.#link;
    if (link === undefined) return;
    this.#lose(link, undefined);
    this.#unfollow();
    if (!this.#options.own) return;
    const { model } = link;
    await Promise.race([model.close().catch(() => {}), sleep(this.#options.clock, GOODBYE_MS)]);
    destroySocket(model);
  }

  #open(): Promise<Link> {
    const { clock, logger } = this.#options;
    return persist(() => this.#connect(), {
      clock,
      signal: this.#ending.signal,
      onFailure: (error, failures) => {
        // The loss itself has been told already.
        if (failures === 1 && !this.#wasUp)
          logger.warn(`${this.server} cannot be reached, trying on`, { error: messageOf(error) });
      },
    });
  }

  async #connect(): Promise<Link> {
    try {
      this.#assertOpen();
      const model = await this.#options.open();
      return this.#adopt(model);
    } catch (error) {
      const failure = connectFailure(this.server, error);
      this.#failure = failure;
      // What worked before can be mended where it broke: a user is made again, a virtual host comes up later than its server.
      if (this.#wasUp && failure.code !== "UNAVAILABLE")
        throw new IntermodalError("UNAVAILABLE", failure.message, { cause: failure });
      throw failure;
    }
  }

  #adopt(model: ChannelModel): Link {
    const link = new Link(model);
    this.#follow(link);
    try {
      this.#assertOpen();
      checkServer(this.server, link);
    } catch (error) {
      this.#unfollow();
      if (this.#options.own) discard(model);
      throw error;
    }
    if (this.#wasUp) this.#options.logger.info(`${this.server} is back`);
    this.#wasUp = true;
    this.#link = link;
    for (const listener of this.#listeners) listener.up?.(link);
    return link;
  }

  /** @throws `CLOSED`. */
  #assertOpen(): void {
    if (this.#ending.signal.aborted) throw new IntermodalError("CLOSED", `${this.server}: the adapter has been closed`);
  }

  /** Listens to the driver's events until {@link #unfollow}: a connection of the application's lives on. */
  #follow(link: Link): void {
    const { model } = link;
    const failed = (error: unknown) => {
      this.#failure = connectFailure(this.server, error);
    };
    const closed = (error: unknown) => this.#lose(link, error);
    const blocked = (reason: string) => this.#block(link, reason);
    const unblocked = () => this.#block(link, undefined);
    model.on("error", failed).on("close", closed).on("blocked", blocked).on("unblocked", unblocked);
    this.#unfollow = () => {
      // What is on its way out may still fail, and would end the process.
      if (!this.#options.own) model.off("error", failed);
      model.off("close", closed).off("blocked", blocked).off("unblocked", unblocked);
    };
  }

  #lose(link: Link, error: unknown): void {
    if (link.isLost) return;
    link.isLost = true;
    if (this.#options.own && !this.#ending.signal.aborted) destroySocket(link.model);
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#failure = connectFailure(this.server, error ?? new Error("the connection was closed"));
    for (const listener of this.#listeners) listener.lost?.(link);
    if (this.#ending.signal.aborted) return;
    this.#options.logger.warn(`${this.server}: the connection is lost, connecting again`, {
      error: this.#failure.message,
    });
    this.up().catch(() => {});
  }

  #block(link: Link, reason: string | undefined): void {
    link.blocked = reason;
    const { logger } = this.#options;
    if (reason === undefined) logger.info(`${this.server} takes messages again`);
    else logger.warn(`${this.server} takes no messages: ${reason}`);
    for (const listener of this.#listeners) listener.blocked?.(link);
  }
}

/** @throws `CONFIG_INVALID` for a server that can't do what is needed. */
function checkServer(server: string, { model, version }: Link): void {
  const product = model.connection.serverProperties?.product;
  if (product !== "RabbitMQ")
    throw new IntermodalError(
      "CONFIG_INVALID",
      `${server} is ${product ?? "no RabbitMQ"}: this adapter needs RabbitMQ's quorum queues`,
    );
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `${server} is version ${version}: the oldest supported one is ${OLDEST.join(".")}, since queues that hold delays need it`,
  );
}

function discard(model: ChannelModel): void {
  model.close().catch(() => {});
}

/** The driver leaves the socket of a connection that was lost to a silent peer to the system, for minutes. */
function destroySocket({ connection }: ChannelModel): void {
  (connection as { readonly stream?: Duplex }).stream?.destroy();
}
