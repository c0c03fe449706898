import { OptimisticTaskStateStore } from "@intermodal/core/adapter";
import type { Page, TaskQuery, TaskRecord } from "@intermodal/core/ports";
import { decodeKey } from "./names.ts";
import type { Session } from "./session.ts";
import { listTasks } from "./task-list.ts";
import { TaskTable } from "./task-table.ts";

const MAX_PAYLOAD_BYTES = 8 * 1_048_576;

/** Task state in Redis. Every step is one script that takes effect only on the record it was computed from, by the server's clock. */
export class RedisTaskStateStore extends OptimisticTaskStateStore {
  readonly #session: Session;
  readonly #table: TaskTable;

  constructor(session: Session) {
    const table = new TaskTable(session);
    super({
      table,
      capabilities: { processLocal: false, ttlGranularityMs: 0, maxPayloadBytes: MAX_PAYLOAD_BYTES },
      clock: session.clock,
      assertOpen: (what) => session.assertOpen(what),
    });
    this.#session = session;
    this.#table = table;
  }

  async list(query: TaskQuery): Promise<Page<TaskRecord>> {
    this.#session.assertOpen("list");
    return listTasks(this.#table, query);
  }

  changes(onEnded: (ids: readonly string[]) => void): () => void {
    if (this.#session.isClosed) return () => {};
    return this.#session.subscribe(this.#table.channel, {
      onMessage: (ids) => onEnded(ids.split(" ").map(decodeKey)),
      // Hints may be lost: whoever waits looks now and then anyway.
      onGap: () => {},
    });
  }
}
