import { decodeCursor, encodeCursor, limitOf } from "@intermodal/core/adapter";
import { IntermodalError, type Page, type TaskQuery, type TaskRecord } from "@intermodal/core/ports";
import type { Filter } from "mongodb";
import type { Session } from "./session.ts";
import { recordOf, TASKS, type TaskDocument } from "./task-document.ts";
import { encodeText } from "./text.ts";
import { boundOf, readTime, storeTime } from "./times.ts";

/** One page of the records that a query asks for, newest first. @throws `CURSOR_INVALID`, `VALIDATION_FAILED`. */
export async function listTasks(session: Session, query: TaskQuery): Promise<Page<TaskRecord>> {
  const limit = limitOf(query);
  const now = await session.serverNow("list");
  // Readers see to the time themselves: the server removes what has expired within minutes.
  const isThere: Filter<TaskDocument> = { expires_at: { $not: { $lte: storeTime(now) } } };
  const filter: Filter<TaskDocument> = { $and: [isThere, ...conditions(query), ...place(query)] };
  const options = { sort: { created_at: -1, _id: -1 }, limit: limit + 1 } as const;
  const found = await session.call<TaskDocument, TaskDocument[]>("list", TASKS, (tasks) =>
    tasks.find(filter, options).toArray(),
  );
  const items = found.slice(0, limit).map(recordOf);
  const last = found[limit - 1];
  if (found.length <= limit || last === undefined) return { items };
  return { items, next: encodeCursor([readTime(last.created_at), last._id]) };
}

/** Nothing but scalars reaches a filter. */
function conditions({ status, type, userId, parentId, rootId, createdAfter, createdBefore }: TaskQuery) {
  const all: Filter<TaskDocument>[] = [];
  if (typeof status === "string") all.push({ status: { $eq: status } });
  else if (status !== undefined) all.push({ status: { $in: status.map((one) => text("status", one) as typeof one) } });
  const texts = { type, user_id: userId, parent_id: parentId, root_id: rootId };
  for (const [field, value] of Object.entries(texts))
    if (value !== undefined) all.push({ [field]: { $eq: text(field, value) } });
  if (createdAfter !== undefined) all.push({ created_at: { $gte: time("createdAfter", createdAfter) } });
  if (createdBefore !== undefined) all.push({ created_at: { $lt: time("createdBefore", createdBefore) } });
  return all;
}

function place({ cursor }: TaskQuery): Filter<TaskDocument>[] {
  if (cursor === undefined) return [];
  const [createdAt, _id] = decodeCursor(cursor, ["number", "string"]) as [number, string];
  const created_at = storeTime(createdAt);
  return [{ created_at: { $lte: created_at } }, { $or: [{ created_at: { $lt: created_at } }, { _id: { $lt: _id } }] }];
}

function text(field: string, value: unknown): string {
  if (typeof value === "string") return encodeText(value);
  throw new IntermodalError("VALIDATION_FAILED", `a list can be filtered by a text as ${field}, nothing else`);
}

function time(field: string, value: unknown) {
  if (typeof value === "number") return boundOf(value);
  throw new IntermodalError("VALIDATION_FAILED", `a list can be filtered by a number as ${field}, nothing else`);
}
