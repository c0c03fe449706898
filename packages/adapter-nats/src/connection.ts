import { persist } from "@intermodal/core/adapter";
import type { Clock, Logger } from "@intermodal/core/ports";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { Authentication } from "./authentication.ts";
import { closed, connectFailure, unavailable } from "./errors.ts";
import type { Settings } from "./options.ts";
import { identify } from "./probe.ts";
import { Requests } from "./requests.ts";
import type { Servers } from "./url.ts";
import { assertSupported } from "./version.ts";

/** Told when the connection is lost and when one is there again, the first one included. */
export interface ConnectionWatcher {
  up(): void;
  down(): void;
}

export interface ConnectionOptions {
  readonly servers: Servers;
  readonly settings: Settings;
  /** As which the server lists it. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the host's own options take precedence over: reconnect for ever, and notice within 15 s that the other side is gone. */
const DEFAULTS: NodeConnectionOptions = {
  timeout: 5_000,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 400,
  reconnectJitter: 200,
  reconnectJitterTLS: 400,
  pingInterval: 5_000,
  maxPingOut: 2,
  // Credentials may be rotated while a connection is away: after a refusal the client would close itself for good.
  ignoreAuthErrorAbort: true,
  noAsyncTraces: true,
};

/** One connection to NATS, made at its first use and then kept up for ever. */
export class Connection {
  readonly requests: Requests;
  readonly #options: ConnectionOptions;
  readonly #watchers = new Set<ConnectionWatcher>();
  readonly #closing = new AbortController();
  #client: NatsConnection | undefined;
  #isUp = false;
  /** The server's limit of a message with its headers; the usual one as long as no server has told. */
  #maxPayload = 1_048_576;
  #generation = 0;
  #connecting: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.requests = new Requests(options.clock);
  }

  /** The client while it is connected. */
  get client(): NatsConnection | undefined {
    return this.#isUp ? this.#client : undefined;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Raised whenever a connection is there anew. */
  get generation(): number {
    return this.#generation;
  }

  get maxPayload(): number {
    return this.#maxPayload;
  }

  /** Without credentials. */
  get where(): string {
    return this.#client?.getServer() || this.#options.servers.servers.join(", ");
  }

  watch(watcher: ConnectionWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * The connected client, made if there is none yet.
   * @throws `UNAVAILABLE` after `timeoutMs`; what trying again cannot cure (`CONFIG_INVALID`); `CLOSED`.
   */
  ready(what: string, timeoutMs: number): Promise<NatsConnection> {
    if (this.client !== undefined) return Promise.resolve(this.client);
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const done = () => {
        unwatch();
        cancel();
        this.#closing.signal.removeEventListener("abort", end);
      };
      const up = () => {
        if (!this.#isUp || this.#client === undefined) return;
        done();
        resolve(this.#client);
      };
      const fail = (error: unknown) => {
        done();
        reject(error as Error);
      };
      const end = () => fail(closed(what));
      const unwatch = this.watch({ up, down: () => {} });
      const cancel = clock.schedule(timeoutMs, () =>
        fail(unavailable(what, `${this.where} could not be reached within ${timeoutMs} ms`)),
      );
      this.#closing.signal.addEventListener("abort", end, { once: true });
      if (this.#closing.signal.aborted) return end();
      if (this.#client === undefined) this.#connect().catch(fail);
    });
  }

  /** Leaves a client of the host's open. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#down();
    this.requests.end(closed);
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined && client !== this.#options.settings.client) await client.close();
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#dialUntilUp().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #dialUntilUp(): Promise<void> {
    const { clock, logger } = this.#options;
    const client = await persist(() => this.#dial(), {
      clock,
      signal: this.#closing.signal,
      onFailure: (error, failures) => {
        if (failures === 1) logger.warn(`nats: ${this.where} cannot be reached; trying on`, { error: String(error) });
      },
    });
    if (this.#closing.signal.aborted) {
      if (client !== this.#options.settings.client) await client.close();
      return;
    }
    this.#client = client;
    void this.#followStatus(client);
    if (client !== this.#options.settings.client) return this.#up(client);
    // The host's may be connecting again just now, which only shows in what it answers; then its status tells.
    client.flush().then(
      () => this.#up(client),
      () => {},
    );
  }

  async #dial(): Promise<NatsConnection> {
    const { servers, settings, name } = this.#options;
    if (settings.client !== undefined) {
      if (settings.client.isClosed()) throw closed("the NATS connection that nats() was given");
      if (settings.client.info !== undefined) assertSupported(this.where, settings.client.info.version);
      return settings.client;
    }
    const { user, pass, token, tls } = servers;
    const authentication = new Authentication(settings.connection?.authenticator);
    try {
      const connecting = connect({
        ...DEFAULTS,
        name,
        ...settings.connection,
        // The client would try on for ever, also once this is closed: trying again is done here.
        waitOnFirstConnect: false,
        ...authentication.options,
        servers: servers.servers,
        ...(user !== undefined && { user, pass }),
        ...(token !== undefined && { token }),
        ...(tls && { tls: settings.connection?.tls ?? {} }),
      });
      const client = await Promise.race([connecting, authentication.failed]);
      try {
        assertSupported(client.getServer(), client.info?.version ?? "");
      } catch (error) {
        await client.close();
        throw error;
      }
      return client;
    } catch (error) {
      const failure = connectFailure(servers.servers.join(", "), error);
      if (failure.code === "UNAVAILABLE")
        await identify(servers.servers, settings.connection?.tls, this.#options.clock);
      throw failure;
    }
  }

  async #followStatus(client: NatsConnection): Promise<void> {
    const { logger } = this.#options;
    let lastError = "";
    for await (const status of client.status()) {
      if (status.type === "disconnect" && this.#isUp) {
        this.#down();
        logger.warn("nats: the connection was lost; connecting again", { server: status.server });
      } else if (status.type === "reconnect") {
        this.#up(client);
        logger.info("nats: connected again", { server: status.server });
      } else if (status.type === "error" && String(status.error) !== lastError) {
        // While credentials are refused, every attempt to connect reports it.
        lastError = String(status.error);
        logger.warn("nats: the server reports an error", { error: lastError });
      }
    }
    if (this.#closing.signal.aborted) return;
    this.#down();
    if (client === this.#options.settings.client) {
      logger.error("nats: the host closed the connection that nats() was given; nothing works any more");
      return;
    }
    // The client has given up, as its options told it to: we have not.
    this.#client = undefined;
    logger.warn("nats: the client closed its connection; making another one");
    this.#connectAnew();
  }

  #connectAnew(): void {
    this.#connect().catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#options.logger.error("nats: connecting failed; trying on", { error: String(error) });
      this.#options.clock.schedule(5_000, () => this.#connectAnew());
    });
  }

  #up(client: NatsConnection): void {
    if (this.#isUp || this.#closing.signal.aborted) return;
    this.#isUp = true;
    this.#generation++;
    this.#maxPayload = client.info?.max_payload ?? this.#maxPayload;
    this.requests.up(client, this.#options.settings.connection?.inboxPrefix);
    for (const watcher of [...this.#watchers]) watcher.up();
  }

  #down(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.requests.down();
    for (const watcher of [...this.#watchers]) watcher.down();
  }
}
