import type { Adapter, AdapterContext, AdapterHealth } from "@intermodal/core/ports";
import { isIntermodalError } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import { MongoEventStream } from "./event-stream.ts";
import { MongoInbox } from "./inbox.ts";
import type { Settings } from "./options.ts";
import { MongoScheduleStore } from "./schedule-store.ts";
import { Session } from "./session.ts";
import { MongoTaskStateStore } from "./task-state-store.ts";

/** All ports over one client, which other adapters of the process may share. */
export class MongoAdapter implements Adapter {
  readonly name = "mongo";
  readonly taskStateStore: MongoTaskStateStore;
  readonly eventStream: MongoEventStream;
  readonly scheduleStore: MongoScheduleStore;
  readonly inbox: MongoInbox;
  readonly #session: Session;
  readonly #release: () => Promise<void>;

  /** @param release Lets go of the client. */
  constructor(connection: Connection, settings: Settings, context: AdapterContext, release: () => Promise<void>) {
    this.#session = new Session(connection, settings, context);
    this.#release = release;
    this.taskStateStore = new MongoTaskStateStore(this.#session);
    this.eventStream = new MongoEventStream(this.#session);
    this.scheduleStore = new MongoScheduleStore(this.#session);
    this.inbox = new MongoInbox(this.#session);
  }

  async connect(): Promise<void> {
    this.#session.assertOpen("connect");
    await this.#session.connection.hello("connect");
  }

  async health(): Promise<AdapterHealth> {
    this.#session.assertOpen("health");
    const { connection } = this.#session;
    try {
      const title = await connection.title("health");
      return { connected: true, detail: `connected to ${connection.where} (${title})` };
    } catch (error) {
      this.#session.assertOpen("health");
      if (!isIntermodalError(error)) throw error;
      return { connected: false, detail: `not connected to ${connection.where}: ${error.message}` };
    }
  }

  async close(): Promise<void> {
    if (this.#session.isClosed) return;
    this.#session.close();
    await this.#release();
  }
}
