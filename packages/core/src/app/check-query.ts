import { IntermodalError } from "../errors.ts";
import type { TaskQuery } from "../ports/task-state-store.ts";

/**
 * An id by which something is looked up. It may come from a request, past all types: an object here would be an operator to some stores.
 * @throws `VALIDATION_FAILED`.
 */
export function checkLookupId(what: string, id: unknown): string {
  if (typeof id === "string") return id;
  throw new IntermodalError("VALIDATION_FAILED", `${what} must be a text, not ${typeof id}`);
}

/** What a query may hold, and what each of it must be. */
const FIELDS: { readonly [Field in keyof Required<TaskQuery>]: (value: unknown) => boolean } = {
  status: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
  type: isText,
  userId: isText,
  parentId: isText,
  rootId: isText,
  createdAfter: isFiniteNumber,
  createdBefore: isFiniteNumber,
  cursor: isText,
  limit: isFiniteNumber,
};

/**
 * A query as stores take it. As with ids: it may come from a request.
 * @throws `VALIDATION_FAILED`, also for what it does not know: a filter that is left out would list what others must not see.
 */
export function checkQuery(query: TaskQuery): TaskQuery {
  for (const [field, value] of Object.entries(query)) {
    if (value === undefined || Object.hasOwn(FIELDS, field)) continue;
    const known = Object.keys(FIELDS).join(", ");
    throw new IntermodalError(
      "VALIDATION_FAILED",
      `a list of tasks cannot be asked for by ${JSON.stringify(field)}; it takes ${known}`,
    );
  }
  const checked = Object.entries(FIELDS).map(([field, isRight]) => {
    const value: unknown = query[field as keyof TaskQuery];
    if (value === undefined || isRight(value)) return [field, value];
    throw new IntermodalError(
      "VALIDATION_FAILED",
      `${field} of a list of tasks is ${Array.isArray(value) ? "an array" : typeof value} that cannot be right`,
    );
  });
  return Object.fromEntries(checked) as TaskQuery;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFiniteNumber(value: unknown): boolean {
  return Number.isFinite(value);
}
