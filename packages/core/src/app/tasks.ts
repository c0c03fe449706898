import { IntermodalError } from "../errors.ts";
import type { Page } from "../ports/delivery.ts";
import type { TaskQuery } from "../ports/task-state-store.ts";
import { requestCancel } from "../worker/duties.ts";
import { replayTask } from "../workflow/replay.ts";
import { checkLookupId, checkQuery } from "./check-query.ts";
import type { Runtime } from "./runtime.ts";
import { snapshotOf, type TaskSnapshot } from "./task-snapshot.ts";

/** All tasks of the namespace, whoever submitted them. */
export class Tasks {
  readonly #ready: () => Promise<Runtime>;

  /** @internal */
  constructor(ready: () => Promise<Runtime>) {
    this.#ready = ready;
  }

  /** `undefined` when there is no such task, or its record has expired. @throws `VALIDATION_FAILED` for an id that is no text. */
  async get(id: string): Promise<TaskSnapshot | undefined> {
    checkLookupId("a task id", id);
    const record = await (await this.#ready()).store.get(id);
    return record && snapshotOf(record);
  }

  /** Newest first, in pages; dead ones are `{ status: ["DEAD_LETTER", "FAILED"] }`. @throws `CURSOR_INVALID`, `VALIDATION_FAILED`. */
  async list(query: TaskQuery = {}): Promise<Page<TaskSnapshot>> {
    const page = await (await this.#ready()).store.port.list(checkQuery(query));
    const items = page.items.map(snapshotOf);
    return page.next === undefined ? { items } : { items, next: page.next };
  }

  /** As `TaskHandle.cancel`. @throws `NOT_FOUND`. */
  async cancel(id: string): Promise<TaskSnapshot> {
    checkLookupId("a task id", id);
    const record = await requestCancel(await this.#ready(), id);
    if (record === undefined)
      throw new IntermodalError("NOT_FOUND", `there is no task ${id}, or its record has expired`);
    return snapshotOf(record);
  }

  /** As `TaskHandle.replay`, with the input it had. @throws `NOT_REPLAYABLE`, `NOT_FOUND`. */
  async replay(id: string): Promise<TaskSnapshot> {
    checkLookupId("a task id", id);
    return snapshotOf(await replayTask(await this.#ready(), id));
  }
}
