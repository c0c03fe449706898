import { IntermodalError } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import type { PageOptions } from "../ports/delivery.ts";
import type { TaskQuery } from "../ports/task-state-store.ts";

const DEFAULT_LIMIT = 100;

/** How long a page may be. @throws `VALIDATION_FAILED`. */
export function limitOf({ limit = DEFAULT_LIMIT }: PageOptions): number {
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new IntermodalError(
    "VALIDATION_FAILED",
    `the limit of a list must be a whole number of 1 or more, not ${limit}`,
  );
}

/** Whether a record is what a query asks for, its times and place aside. */
export function matches(record: TaskRecord, { status, type, userId, parentId, rootId }: TaskQuery): boolean {
  return (
    (status === undefined ||
      (typeof status === "string" ? record.status === status : status.includes(record.status))) &&
    (type === undefined || record.type === type) &&
    (userId === undefined || record.userId === userId) &&
    (parentId === undefined || record.parentId === parentId) &&
    (rootId === undefined || record.rootId === rootId)
  );
}
