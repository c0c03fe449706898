import { Deadlines, ServerClock } from "@intermodal/core/adapter";
import { type Clock, IntermodalError, type Logger } from "@intermodal/core/ports";
import { type Db, type Document, MongoClient } from "mongodb";
import { asIntermodal, closed, isAnswer, isRefusedLogin, notUsable } from "./errors.ts";
import type { Settings } from "./options.ts";
import { identify } from "./probe.ts";
import type { Place } from "./url.ts";
import { assertSupported } from "./version.ts";

export interface ConnectionOptions {
  readonly place: Place;
  readonly settings: Settings;
  /** As which the server lists it. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const POOL_SIZE = 20;
/** Besides the time in which a server has to be there: to find out who is there instead. */
const PROBE_MS = 5_000;

/** One client of MongoDB's, connected at its first use; the driver then keeps its connections up for ever. */
export class Connection {
  readonly serverClock: ServerClock;
  readonly #options: ConnectionOptions;
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #connectDeadlines: Deadlines;
  readonly #deadlines: Deadlines;
  #isClosed = false;
  /** Who made the client closed it. */
  #isClientClosed = false;
  #wasUp = false;
  #isUp = false;
  #generation = 0;
  #connecting: Promise<void> | undefined;
  #asking: Promise<Document> | undefined;
  readonly #onClosed = () => {
    // Told of a first try in vain, too, after which another one may be made.
    if (this.#connecting === undefined) this.#isClientClosed = true;
  };
  readonly #onOpening = () => {
    this.#isClientClosed = false;
  };

  /** Does no I/O. @throws `CONFIG_INVALID`. */
  constructor(options: ConnectionOptions) {
    const { settings, clock, place } = options;
    const { commandTimeoutMs } = settings;
    this.#options = options;
    this.serverClock = new ServerClock(clock);
    this.#client = settings.client ?? makeClient(options);
    this.#client.on("topologyClosed", this.#onClosed);
    this.#client.on("topologyOpening", this.#onOpening);
    this.#db = this.#client.db(place.database, { readPreference: "primary", writeConcern: { w: "majority" } });
    this.#connectDeadlines = new Deadlines(clock, commandTimeoutMs + PROBE_MS, false);
    // A server has to be there in time, then the answer.
    this.#deadlines = new Deadlines(clock, 2 * commandTimeoutMs, true);
  }

  /** Raised whenever the server answers again. */
  get generation(): number {
    return this.#generation;
  }

  /** Without credentials. */
  get where(): string {
    return this.#servers.join(", ") || (this.#client.options.srvHost ?? "the client's server");
  }

  /**
   * Runs an operation. Writes are repeated by the driver alone, and only on replica sets, where the server recognises a repetition.
   * @throws `UNAVAILABLE` in a bounded time or `CLOSED`, `unknown` where an answer may have been lost; `CONFIG_INVALID` for what trying again cannot cure.
   */
  async call<T>(what: string, run: (db: Db) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closed(what);
    if (this.#isClientClosed) throw closed(`${what}: the client that mongo() was given`);
    try {
      if (!this.#wasUp) await this.#connectDeadlines.bound(what, this.#connected());
      if (this.#isClosed) throw closed(what);
      const answer = await this.#deadlines.bound(what, run(this.#db));
      this.#turn(true);
      return answer;
    } catch (error) {
      const failure = this.#outageOf(asIntermodal(what, error), error);
      if (this.#isClosed) throw closed(what, failure.unknown);
      if (failure.code === "UNAVAILABLE" && !isAnswer(failure)) this.#turn(false);
      throw failure;
    }
  }

  /** Asks the server who it is; notes what its clock shows. */
  async hello(what: string): Promise<Document> {
    return this.call(what, (db) => this.#hello(db));
  }

  /** What is connected now, by name and version. @throws as `call`. */
  async title(what: string): Promise<string> {
    const { version, ferretdb } = await this.call(what, (db) => db.command({ buildInfo: 1 }));
    const like = (ferretdb as { version?: string } | undefined)?.version;
    return like === undefined ? `MongoDB ${version}` : `FerretDB ${like}, as MongoDB ${version}`;
  }

  /** What the server's clock shows, asked where it can't be told. */
  async serverNow(what: string): Promise<number> {
    const now = this.serverClock.now();
    if (now !== undefined) return now;
    this.#asking ??= this.hello(what).finally(() => {
      this.#asking = undefined;
    });
    const { localTime } = await this.#asking;
    return this.serverClock.now() ?? (localTime as Date).getTime();
  }

  /** Leaves a client of the host's open. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.off("topologyClosed", this.#onClosed);
    this.#client.off("topologyOpening", this.#onOpening);
    if (this.#client === this.#options.settings.client) return;
    // An attempt to connect ends with it, unless the driver has yet to begin that: then the client is open again afterwards.
    await this.#client.close();
    await this.#connecting?.catch(() => {});
    await this.#client.close();
  }

  get #servers(): readonly string[] {
    return this.#client.options.hosts.map(String);
  }

  #connected(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    const { clock } = this.#options;
    const what = `connecting to ${this.where}`;
    try {
      await this.#client.connect();
      assertSupported(this.where, await this.#hello(this.#db));
    } catch (error) {
      const failure = asIntermodal(what, error);
      if (failure.code !== "UNAVAILABLE") throw failure;
      if (!this.#isClosed) await identify(this.#servers, this.#client.options.tls === true, clock);
      // Nothing was asked for yet.
      throw new IntermodalError("UNAVAILABLE", failure.message, { cause: failure.cause });
    }
    this.#wasUp = true;
  }

  /** Credentials may be rotated while the store is in use: that is an outage. */
  #outageOf(failure: IntermodalError, error: unknown): IntermodalError {
    if (!this.#wasUp || !isRefusedLogin(error)) return failure;
    return new IntermodalError("UNAVAILABLE", failure.message, { cause: failure.cause });
  }

  async #hello(db: Db): Promise<Document> {
    const answer = await db.command({ hello: 1 });
    this.serverClock.learn((answer.localTime as Date).getTime());
    return answer;
  }

  #turn(isUp: boolean): void {
    if (isUp === this.#isUp || !this.#wasUp) return;
    this.#isUp = isUp;
    const { logger } = this.#options;
    if (!isUp) logger.warn("mongo: the server does not answer; trying on", { server: this.where });
    else if (this.#generation++ > 0) logger.info("mongo: the server answers again", { server: this.where });
  }
}

/** @throws `CONFIG_INVALID`. */
function makeClient({ place, settings, name }: ConnectionOptions): MongoClient {
  const { commandTimeoutMs } = settings;
  try {
    return new MongoClient(place.url, {
      // The server refuses longer ones, in bytes.
      appName: name.replace(/[^\x20-\x7e]/g, "?").slice(0, 128),
      maxPoolSize: POOL_SIZE,
      serverSelectionTimeoutMS: commandTimeoutMs,
      waitQueueTimeoutMS: commandTimeoutMs,
      connectTimeoutMS: commandTimeoutMs,
      socketTimeoutMS: commandTimeoutMs,
      ...settings.connection,
    });
  } catch (error) {
    throw notUsable(error);
  }
}
