import { OptimisticTaskStateStore } from "@intermodal/core/adapter";
import type { Page, TaskQuery, TaskRecord } from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { TaskChanges } from "./task-changes.ts";
import { listTasks } from "./task-list.ts";
import { TaskTable } from "./task-table.ts";

/** A document holds 16 MiB: input, progress, result, and what is known of sub-tasks. */
const MAX_PAYLOAD_BYTES = 4 * 1_048_576;

/** Task state in MongoDB. Every step is one write to one document that takes effect only on the version it was computed from, by the server's clock. */
export class MongoTaskStateStore extends OptimisticTaskStateStore {
  readonly #session: Session;
  readonly #changes: TaskChanges;

  constructor(session: Session) {
    const changes = new TaskChanges(session);
    super({
      table: new TaskTable(session, (written) => changes.written(written)),
      capabilities: { processLocal: false, ttlGranularityMs: 0, maxPayloadBytes: MAX_PAYLOAD_BYTES },
      clock: session.clock,
      assertOpen: (what) => session.assertOpen(what),
    });
    this.#session = session;
    this.#changes = changes;
  }

  async list(query: TaskQuery): Promise<Page<TaskRecord>> {
    this.#session.assertOpen("list");
    return listTasks(this.#session, query);
  }

  changes(onEnded: (ids: readonly string[]) => void): () => void {
    return this.#changes.listen(onEnded);
  }
}
