import type { TaskStatus } from "../lifecycle/record.ts";
import type { TaskEntry } from "./task-entry.ts";
import { TaskIndex } from "./task-index.ts";

const isKept = (entry: TaskEntry) => !entry.removed;

/** What lists are answered from. */
export class TaskIndexes {
  readonly all = new TaskIndex(isKept);
  readonly #byStatus = new Map<TaskStatus, TaskIndex>();
  readonly #byUser = new Map<string, TaskIndex>();
  readonly #byParent = new Map<string, TaskIndex>();
  /** Without the root itself, so that the many tasks that are alone in their runs need no index. */
  readonly #byRoot = new Map<string, TaskIndex>();

  status(status: TaskStatus): TaskIndex {
    let index = this.#byStatus.get(status);
    if (index === undefined) {
      index = new TaskIndex((entry) => !entry.removed && entry.record.status === status);
      this.#byStatus.set(status, index);
    }
    return index;
  }

  user(userId: string): TaskIndex | undefined {
    return this.#byUser.get(userId);
  }

  parent(parentId: string): TaskIndex | undefined {
    return this.#byParent.get(parentId);
  }

  /** The sub-tasks of a run, at any depth. */
  run(rootId: string): TaskIndex | undefined {
    return this.#byRoot.get(rootId);
  }

  add(entry: TaskEntry): void {
    const { id, status, userId, parentId, rootId } = entry.record;
    this.all.add(entry);
    this.status(status).add(entry);
    if (userId !== undefined) join(this.#byUser, userId, entry);
    if (parentId !== undefined) join(this.#byParent, parentId, entry);
    if (rootId !== id) join(this.#byRoot, rootId, entry);
  }

  /** Told after the record of an entry has changed its status. */
  changeStatus(entry: TaskEntry, before: TaskStatus): void {
    this.status(before).left();
    this.status(entry.record.status).add(entry);
  }

  /** Told after an entry was marked as removed. */
  remove(entry: TaskEntry): void {
    const { id, status, userId, parentId, rootId } = entry.record;
    this.all.left();
    this.status(status).left();
    if (userId !== undefined) leave(this.#byUser, userId);
    if (parentId !== undefined) leave(this.#byParent, parentId);
    if (rootId !== id) leave(this.#byRoot, rootId);
  }
}

function join(indexes: Map<string, TaskIndex>, value: string, entry: TaskEntry): void {
  let index = indexes.get(value);
  if (index === undefined) {
    index = new TaskIndex(isKept);
    indexes.set(value, index);
  }
  index.add(entry);
}

function leave(indexes: Map<string, TaskIndex>, value: string): void {
  const index = indexes.get(value);
  index?.left();
  if (index?.size === 0) indexes.delete(value);
}
