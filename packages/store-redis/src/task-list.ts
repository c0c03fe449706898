import { decodeCursor, encodeCursor, limitOf, matches } from "@intermodal/core/adapter";
import type { Page, TaskQuery, TaskRecord } from "@intermodal/core/ports";
import { encodeKey } from "./names.ts";
import { parentIndex, runIndex, statusIndex, typeIndex, userIndex } from "./task-fields.ts";
import type { Place, TaskTable } from "./task-table.ts";

/** Places read ahead from an index. */
const LEAST_PART = 50;
const LARGEST_PART = 500;
/** Looked at for one page; a page that has not filled by then ends early, and goes on with the next. */
const MAX_LOOKED = 5_000;

/** One page of the records that a query asks for, newest first. @throws `CURSOR_INVALID`, `VALIDATION_FAILED`. */
export async function listTasks(table: TaskTable, query: TaskQuery): Promise<Page<TaskRecord>> {
  const limit = limitOf(query);
  const items: TaskRecord[] = [];
  let reached: Place | undefined;
  let looked = 0;
  for await (const { record, place } of candidates(table, query, Math.min(LARGEST_PART, limit + LEAST_PART))) {
    // Looked at again: between an index and its record there is time in which it may change.
    const isWanted = matches(record, query);
    if ((isWanted && items.length === limit) || looked++ === MAX_LOOKED) {
      const { score, member } = reached as Place;
      return { items, next: encodeCursor([score, member]) };
    }
    if (isWanted) items.push(record);
    reached = place;
  }
  return { items };
}

interface Candidate {
  readonly record: TaskRecord;
  readonly place: Place;
}

/** Everything that may match, newest first. */
async function* candidates(table: TaskTable, query: TaskQuery, part: number): AsyncGenerator<Candidate> {
  const indexes = indexesFor(query);
  const last = query.createdAfter ?? Number.NEGATIVE_INFINITY;
  let after = startOf(query);
  let root = await rootOf(table, query);
  for (;;) {
    const places = await table.page(indexes, "down", after, last, part);
    const readings = await table.readMembers(places.map(({ member }) => member));
    for (const [at, place] of places.entries()) {
      if (root !== undefined && isNewer(root.place, place)) {
        yield root;
        root = undefined;
      }
      const record = readings[at]?.record;
      if (record !== undefined) yield { record, place };
    }
    const reached = places.at(-1);
    if (reached === undefined || places.length < part) break;
    after = reached;
  }
  if (root !== undefined) yield root;
}

/** A root stands in no index of its run: it is looked up, if it belongs to what is asked for. */
async function rootOf(table: TaskTable, query: TaskQuery): Promise<Candidate | undefined> {
  const { rootId, parentId, createdAfter = Number.NEGATIVE_INFINITY } = query;
  if (rootId === undefined || parentId !== undefined) return undefined;
  const record = (await table.read([rootId]))[0]?.record;
  if (record === undefined || record.createdAt < createdAfter) return undefined;
  const place = { score: record.createdAt, member: encodeKey(rootId) };
  return isNewer(startOf(query), place) ? { record, place } : undefined;
}

/** Whether a place comes before another going down. The edge of a score lies below its members. */
function isNewer(one: Place, other: Place): boolean {
  return one.score > other.score || (one.score === other.score && one.member > other.member);
}

function startOf({ cursor, createdBefore }: TaskQuery): Place {
  // Going down, the edge of a score lies below all of its members: exclusive of what was created then.
  const before = { score: createdBefore ?? Number.POSITIVE_INFINITY, member: "" };
  if (cursor === undefined) return before;
  const [score, member] = decodeCursor(cursor, ["number", "string"]) as [number, string];
  return before.score <= score ? before : { score, member };
}

/** The narrowest indexes that hold all that a query asks for. */
function indexesFor({ status, type, userId, parentId, rootId }: TaskQuery): readonly string[] {
  if (parentId !== undefined) return [parentIndex(parentId)];
  if (rootId !== undefined) return [runIndex(rootId)];
  if (userId !== undefined) return [userIndex(userId)];
  if (status !== undefined) return (typeof status === "string" ? [status] : [...new Set(status)]).map(statusIndex);
  return [type === undefined ? "tasks" : typeIndex(type)];
}
