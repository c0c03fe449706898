import { decodeCursor, encodeCursor } from "../adapter/cursor.ts";
import { limitOf, matches } from "../adapter/listing.ts";
import type { TaskRecord, TaskStatus } from "../lifecycle/record.ts";
import type { Page } from "../ports/delivery.ts";
import type { TaskQuery } from "../ports/task-state-store.ts";
import type { TaskEntry } from "./task-entry.ts";
import { compare, type TaskIndex, type TaskPosition } from "./task-index.ts";
import { hasExpired, type TaskTable } from "./task-table.ts";

/** One page of the records that a query asks for. @throws `CURSOR_INVALID`, `VALIDATION_FAILED`. */
export function queryTasks(table: TaskTable, query: TaskQuery, now: number): Page<TaskRecord> {
  const limit = limitOf(query);
  const items: TaskRecord[] = [];
  for (const { record } of candidates(table, query)) {
    if (query.createdAfter !== undefined && record.createdAt < query.createdAfter) break;
    if (hasExpired(record, now) || !matches(record, query)) continue;
    if (items.length === limit) {
      const { createdAt, id } = items.at(-1) as TaskRecord;
      return { items, next: encodeCursor([createdAt, id]) };
    }
    items.push(record);
  }
  return { items };
}

function startOf(query: TaskQuery): TaskPosition | undefined {
  const { cursor, createdBefore } = query;
  // No id is below the empty one: exclusive of all that were created then.
  const before = createdBefore === undefined ? undefined : { createdAt: createdBefore, id: "" };
  if (cursor === undefined) return before;
  const [createdAt, id] = decodeCursor(cursor, ["number", "string"]) as [number, string];
  const after = { createdAt, id };
  return before !== undefined && compare(before, after) < 0 ? before : after;
}

/** Everything that may match, newest first, from the narrowest index. */
function candidates(table: TaskTable, query: TaskQuery): Iterable<TaskEntry> {
  const { indexes } = table;
  const start = startOf(query);
  const { parentId, rootId, userId } = query;
  if (parentId !== undefined) return indexes.parent(parentId)?.newestFirst(start) ?? [];
  if (rootId !== undefined) return run(table, rootId, start);
  const statuses = statusesOf(query)?.map((status) => indexes.status(status));
  const user = userId === undefined ? undefined : indexes.user(userId);
  if (userId !== undefined && user === undefined) return [];
  const narrowest = user ?? indexes.all;
  if (statuses === undefined || sizeOf(statuses) >= narrowest.size) return narrowest.newestFirst(start);
  return merge(statuses.map((index) => index.newestFirst(start)));
}

/** A run's root stands in no index of its own. */
function run(table: TaskTable, rootId: string, start: TaskPosition | undefined): TaskEntry[] {
  const below = table.run(rootId).filter((entry) => start === undefined || compare(entry.record, start) < 0);
  return below.sort((a, b) => compare(b.record, a.record));
}

function* merge(sources: readonly Iterator<TaskEntry>[]): Generator<TaskEntry, void, undefined> {
  const heads = sources.map((source) => ({ source, entry: source.next().value as TaskEntry | undefined }));
  for (;;) {
    let newest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.entry === undefined) continue;
      if (newest?.entry === undefined || compare(head.entry.record, newest.entry.record) > 0) newest = head;
    }
    if (newest?.entry === undefined) return;
    yield newest.entry;
    newest.entry = newest.source.next().value as TaskEntry | undefined;
  }
}

function statusesOf(query: TaskQuery): TaskStatus[] | undefined {
  const { status } = query;
  if (status === undefined) return undefined;
  return typeof status === "string" ? [status] : [...new Set(status)];
}

function sizeOf(indexes: readonly TaskIndex[]): number {
  return indexes.reduce((total, index) => total + index.size, 0);
}
