import type { Adapter, AdapterContext, AdapterHealth } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import { RedisEventStream } from "./event-stream.ts";
import { RedisInbox } from "./inbox.ts";
import type { Settings } from "./options.ts";
import { RedisRateLimiter } from "./rate-limiter.ts";
import { RedisScheduleStore } from "./schedule-store.ts";
import { Session } from "./session.ts";
import { RedisTaskStateStore } from "./task-state-store.ts";

/** All ports over one connection, which other adapters of the process may share. */
export class RedisAdapter implements Adapter {
  readonly name = "redis";
  readonly taskStateStore: RedisTaskStateStore;
  readonly eventStream: RedisEventStream;
  readonly scheduleStore: RedisScheduleStore;
  readonly rateLimiter: RedisRateLimiter;
  readonly inbox: RedisInbox;
  readonly #session: Session;
  readonly #release: () => Promise<void>;

  /** @param release Lets go of the connection. */
  constructor(connection: Connection, settings: Settings, context: AdapterContext, release: () => Promise<void>) {
    this.#session = new Session(connection, settings, context);
    this.#release = release;
    this.taskStateStore = new RedisTaskStateStore(this.#session);
    this.eventStream = new RedisEventStream(this.#session);
    this.scheduleStore = new RedisScheduleStore(this.#session);
    this.rateLimiter = new RedisRateLimiter(this.#session);
    this.inbox = new RedisInbox(this.#session);
  }

  async connect(): Promise<void> {
    await this.#session.call("connect", (client) => client.ping());
  }

  async health(): Promise<AdapterHealth> {
    this.#session.assertOpen("health");
    const { connection } = this.#session;
    const { link } = connection;
    if (link === undefined) return { connected: false, detail: `not connected to ${connection.where}` };
    try {
      await connection.deadlines.bound("health", link.client.ping());
    } catch {
      // What is wrong shows in the next call; here it only matters that it does not answer.
      return { connected: false, detail: `${connection.where} does not answer` };
    }
    return { connected: true, detail: `connected to ${connection.where} (${link.server.title})` };
  }

  async close(): Promise<void> {
    if (this.#session.isClosed) return;
    this.#session.close();
    await this.#release();
  }
}
