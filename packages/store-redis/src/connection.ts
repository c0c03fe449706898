import { Deadlines, persist } from "@intermodal/core/adapter";
import { IntermodalError, isIntermodalError, messageOf } from "@intermodal/core/ports";
import { closed, unavailable } from "./errors.ts";
import { adopt, type Client, dial, type Link, type Linked, type LinkOptions } from "./link.ts";
import { Subscriber } from "./subscriber.ts";

/** How long calls wait for a connection that was there a moment ago. */
const GRACE_MS = 1_000;

/** One connection for commands and one for subscriptions, each made at its first use and then kept up for ever. */
export class Connection implements Linked {
  readonly deadlines: Deadlines;
  readonly subscriber: Subscriber;
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<{ readonly up: (link: Link) => void; readonly fail: (error: Error) => void }>();
  #link: Link | undefined;
  #wasUp = false;
  /** Since when there has been none, though one was asked for. */
  #downSince: number | undefined;
  #lastFailure = "";
  #connecting: Promise<void> | undefined;
  #warned = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.deadlines = new Deadlines(options.clock, options.settings.commandTimeoutMs, true);
    this.subscriber = new Subscriber(this, options);
  }

  /** What is connected now. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Without credentials. */
  get where(): string {
    const { settings, servers } = this.#options;
    if (settings.client !== undefined) return "the client's server";
    return servers.seeds.map(({ host, port }) => `${host}:${port}`).join(", ");
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * The connection, made if there is none yet.
   * @throws `UNAVAILABLE` when it has not been there for a while; what trying again cannot cure (`CONFIG_INVALID`); `CLOSED`.
   */
  ready(what: string): Promise<Link> {
    if (this.#link !== undefined) return Promise.resolve(this.#link);
    if (this.#closing.signal.aborted) return Promise.reject(closed(what));
    const { clock, settings } = this.#options;
    this.#downSince ??= clock.now();
    this.#connect();
    const graceMs = this.#wasUp ? Math.min(GRACE_MS, settings.commandTimeoutMs) : settings.commandTimeoutMs;
    // Not longer, should the clock have been set back meanwhile.
    const leftMs = Math.min(graceMs, this.#downSince + graceMs - clock.now());
    const refused = () => {
      return unavailable(what, this.#lastFailure || `${this.where} cannot be reached`);
    };
    if (leftMs <= 0) return Promise.reject(refused());
    return new Promise((resolve, reject) => {
      const done = () => {
        cancel();
        this.#waiting.delete(waiting);
      };
      const waiting = {
        up: (link: Link) => {
          done();
          resolve(link);
        },
        fail: (error: Error) => {
          done();
          reject(error);
        },
      };
      const cancel = clock.schedule(leftMs, () => waiting.fail(refused()));
      this.#waiting.add(waiting);
    });
  }

  /** The server behind this client takes no writes any more: another one may. A host's client is the host's affair. */
  renew(client: Client): void {
    if (this.#link?.client === client && client !== this.#options.settings.client) client.disconnect();
  }

  /** Leaves a client of the host's open. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const { fail } of [...this.#waiting]) fail(closed("a call"));
    const client = this.#link?.client;
    this.#link = undefined;
    if (client !== undefined && client !== this.#options.settings.client) client.disconnect();
  }

  #connect(): void {
    if (this.#connecting !== undefined || this.#closing.signal.aborted) return;
    this.#connecting = this.#dialUntilUp().then(
      (link) => {
        this.#connecting = undefined;
        this.#up(link);
      },
      (error: unknown) => {
        this.#connecting = undefined;
        this.#downSince = undefined;
        for (const { fail } of [...this.#waiting]) fail(error as Error);
      },
    );
  }

  /** @throws what trying again cannot cure, unless it worked before: credentials may be rotated while a connection is away. */
  #dialUntilUp(): Promise<Link> {
    const { clock, logger, settings } = this.#options;
    const attempt = async () => {
      try {
        return await (settings.client === undefined ? dial(this.#options) : adopt(settings.client));
      } catch (error) {
        this.#lastFailure = messageOf(error).replace(/^connecting: /, "");
        if (!this.#wasUp || isIntermodalError(error, "UNAVAILABLE")) throw error;
        throw new IntermodalError("UNAVAILABLE", this.#lastFailure, { cause: error });
      }
    };
    return persist(attempt, {
      clock,
      signal: this.#closing.signal,
      onFailure: (error, failures) => {
        if (failures === 1) logger.warn(`redis: ${this.where} cannot be reached; trying on`, { error: String(error) });
      },
    });
  }

  #up(link: Link): void {
    const { client, server } = link;
    const isHosts = client === this.#options.settings.client;
    if (this.#closing.signal.aborted) {
      if (!isHosts) client.disconnect();
      return;
    }
    // The host's client comes back by itself.
    client.once(isHosts ? "close" : "end", () => this.#down(link));
    if (client.status !== "ready") {
      this.#connect();
      return;
    }
    const { logger } = this.#options;
    if (this.#wasUp) logger.info("redis: connected again", { server: server.title });
    else this.#look(link);
    this.#wasUp = true;
    this.#link = link;
    this.#downSince = undefined;
    this.#lastFailure = "";
    for (const { up } of [...this.#waiting]) up(link);
  }

  #down(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (this.#closing.signal.aborted) return;
    this.#options.logger.warn("redis: the connection was lost; connecting again", { server: this.where });
    this.#downSince = this.#options.clock.now();
    this.#connect();
  }

  /** Tells once what an operator should know. */
  #look({ client, server }: Link): void {
    const { logger, settings } = this.#options;
    if (this.#warned) return;
    this.#warned = true;
    const { evictionPolicy } = server;
    if (evictionPolicy !== undefined && evictionPolicy !== "noeviction")
      logger.warn(
        `redis: maxmemory-policy is ${evictionPolicy}: under pressure the server throws tasks and streams away; set it to noeviction`,
      );
    if (client !== settings.client) return;
    const repeats =
      "autoResendUnfulfilledCommands" in client.options
        ? client.options.autoResendUnfulfilledCommands !== false
        : Number((client.options as { retryDelayOnFailover?: number }).retryDelayOnFailover ?? 0) > 0;
    if (repeats)
      logger.warn(
        "redis: the client that redis() was given sends commands again when it reconnects; set autoResendUnfulfilledCommands: false (a cluster's: retryDelayOnFailover: 0)",
      );
  }
}
