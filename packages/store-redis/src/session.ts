import type { AdapterContext, Clock, Logger } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import { asIntermodal, closed, isReply } from "./errors.ts";
import type { Client } from "./link.ts";
import { Names } from "./names.ts";
import type { Settings } from "./options.ts";
import { runScript, type Script } from "./scripts.ts";
import type { ChannelListener } from "./subscriber.ts";

/** What all ports of one adapter work with: a namespace over a connection. */
export class Session {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly names: Names;
  readonly #endings = new Set<() => void>();
  #isClosed = false;

  constructor(
    connection: Connection,
    settings: Settings,
    { namespace, clock, logger }: Pick<AdapterContext, "namespace" | "clock" | "logger">,
  ) {
    this.connection = connection;
    this.settings = settings;
    this.namespace = namespace;
    this.clock = clock;
    this.logger = logger;
    this.names = new Names(namespace);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws `CLOSED`. */
  assertOpen(what: string): void {
    if (this.#isClosed) throw closed(what);
  }

  /**
   * Runs commands on the shared connection, each of which is written once at the most. Nothing is kept for later: while there is no connection, it
   * rejects after a moment's grace.
   * @throws `UNAVAILABLE` in a bounded time, `unknown` where an answer may have been lost; `CONFIG_INVALID` for what trying again cannot cure; `CLOSED`.
   */
  async call<T>(what: string, run: (client: Client) => Promise<T>): Promise<T> {
    this.assertOpen(what);
    const { client } = this.connection.link ?? (await this.connection.ready(what));
    this.assertOpen(what);
    try {
      return await this.connection.deadlines.bound(what, run(client));
    } catch (error) {
      // It has become a replica: its successor is behind the same address, or will be.
      if (isReply(error, "READONLY")) this.connection.renew(client);
      const failure = asIntermodal(what, error);
      throw this.#isClosed ? closed(what, undefined, failure.unknown) : failure;
    }
  }

  /**
   * Runs a script: one atomic step.
   * @param keys All in one slot.
   * @throws as `call`.
   */
  script(what: string, script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.call(what, (client) => runScript(client, script, keys, args));
  }

  /**
   * Listens to a channel (one of {@link names}) over one connection for everything of this process, until the adapter closes. Messages are hints: some are lost
   * in every outage, of which `onGap` tells afterwards; it is called once at the beginning too, when the subscription stands.
   * @returns stops it.
   */
  subscribe(channel: string, listener: ChannelListener): () => void {
    const stop = this.connection.subscriber.add(channel, listener);
    return this.onClose(stop);
  }

  /** Runs `end` once: when it is called, or when the adapter closes. */
  onClose(end: () => void): () => void {
    const once = () => {
      if (this.#endings.delete(once)) end();
    };
    this.#endings.add(once);
    return once;
  }

  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#endings]) end();
  }
}
