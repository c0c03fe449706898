import { type Clock, IntermodalError, isIntermodalError, type Logger } from "@intermodal/core/ports";
import { type Db, type Document, MongoClient, type TopologyDescriptionChangedEvent } from "mongodb";
import { Deadlines } from "./deadlines.ts";
import { asIntermodal, closed, isRefusedLogin } from "./errors.ts";
import type { Settings } from "./options.ts";
import { identify } from "./probe.ts";
import { ServerClock } from "./server-clock.ts";
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

/** What takes writes. */
const WRITABLE: ReadonlySet<string> = new Set(["RSPrimary", "Standalone", "Mongos", "LoadBalanced"]);
const POOL_SIZE = 20;

/** One client of MongoDB's, connected at its first use; the driver then keeps its connections up for ever. */
export class Connection {
  readonly serverClock: ServerClock;
  readonly #options: ConnectionOptions;
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #deadlines: Deadlines;
  #isClosed = false;
  #isUp = false;
  #wasUp = false;
  #generation = 0;
  #connecting: Promise<void> | undefined;
  readonly #onTopology = ({ newDescription }: TopologyDescriptionChangedEvent) => {
    const isUp = [...newDescription.servers.values()].some(({ type }) => WRITABLE.has(type));
    if (isUp !== this.#isUp) this.#turn(isUp);
  };

  /** Does no I/O. @throws `CONFIG_INVALID`. */
  constructor(options: ConnectionOptions) {
    const { settings, clock, place } = options;
    this.#options = options;
    this.serverClock = new ServerClock(clock);
    this.#client = settings.client ?? makeClient(options);
    this.#client.on("topologyDescriptionChanged", this.#onTopology);
    this.#db = this.#client.db(place.database);
    // A server has to be there in time, then the answer.
    this.#deadlines = new Deadlines(clock, 2 * settings.commandTimeoutMs);
  }

  /** Raised whenever a server has come back. */
  get generation(): number {
    return this.#generation;
  }

  /** Without credentials. */
  get where(): string {
    return this.#servers.join(", ") || (this.#client.options.srvHost ?? "the client's server");
  }

  /**
   * Runs an operation. Writes are repeated by the driver alone, and only on replica sets, where the server recognises a repetition.
   * @throws `UNAVAILABLE` in a bounded time, `unknown` where an answer may have been lost; `CONFIG_INVALID` for what trying again cannot cure; `CLOSED`.
   */
  async call<T>(what: string, run: (db: Db) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closed(what);
    try {
      return await this.#deadlines.bound(
        what,
        this.#wasUp ? run(this.#db) : this.#connected().then(() => run(this.#db)),
      );
    } catch (error) {
      if (this.#isClosed) throw closed(what);
      const failure = asIntermodal(what, error);
      // Credentials may be rotated while the store is in use: that is an outage.
      if (!this.#wasUp || !isRefusedLogin(error)) throw failure;
      throw new IntermodalError("UNAVAILABLE", failure.message, { cause: failure.cause });
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
    const { localTime } = await this.hello(what);
    return this.serverClock.now() ?? (localTime as Date).getTime();
  }

  /** Leaves a client of the host's open. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.off("topologyDescriptionChanged", this.#onTopology);
    if (this.#client !== this.#options.settings.client) await this.#client.close();
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
      if (isIntermodalError(failure, "UNAVAILABLE"))
        await identify(this.#servers, this.#client.options.tls === true, clock);
      throw failure;
    }
    this.#wasUp = true;
    if (!this.#isUp) this.#turn(true);
  }

  async #hello(db: Db): Promise<Document> {
    const askedAt = this.#options.clock.now();
    const answer = await db.command({ hello: 1 });
    this.serverClock.learn((answer.localTime as Date).getTime(), askedAt);
    return answer;
  }

  #turn(isUp: boolean): void {
    this.#isUp = isUp;
    if (isUp) this.#generation++;
    if (!this.#wasUp || this.#isClosed) return;
    const { logger } = this.#options;
    if (isUp) logger.info("mongo: connected again", { server: this.where });
    else logger.warn("mongo: no server that takes writes can be reached; trying on", { server: this.where });
  }
}

/** @throws `CONFIG_INVALID`. */
function makeClient({ place, settings, name }: ConnectionOptions): MongoClient {
  const { commandTimeoutMs } = settings;
  try {
    return new MongoClient(place.url, {
      appName: name.slice(0, 128),
      maxPoolSize: POOL_SIZE,
      serverSelectionTimeoutMS: commandTimeoutMs,
      waitQueueTimeoutMS: commandTimeoutMs,
      connectTimeoutMS: commandTimeoutMs,
      socketTimeoutMS: commandTimeoutMs,
      ...settings.connection,
    });
  } catch (error) {
    throw asIntermodal(`mongo(): the URL or the options of the client`, error);
  }
}
