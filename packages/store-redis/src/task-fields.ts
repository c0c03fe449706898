import type { JsonValue, TaskRecord } from "@intermodal/core/ports";
import { encodeKey } from "./names.ts";

/**
 * How a record stands in its hash: `v` its version, `r` what is small, and apart from that, so that a step writes only what it changed, `i` the input, `p` the progress, `o` the result and
 * `c` the sub-tasks; each as JSON. The script that writes adds `k`, the indexes it stands in, and `a`, its place in them.
 */
export type StoredFields = readonly [
  version: string | null,
  record: string | null,
  input: string | null,
  progress: string | null,
  result: string | null,
  children: string | null,
];

/** What a write changes. */
export interface FieldChanges {
  readonly set: readonly (readonly [field: string, value: string])[];
  readonly remove: readonly string[];
}

const PARTS = [
  ["i", "input"],
  ["p", "progress"],
  ["o", "result"],
  ["c", "children"],
] as const;

export function fieldsOf(before: TaskRecord | undefined, after: TaskRecord): FieldChanges {
  const { input, progress, result, children, ...small } = after;
  const set: [string, string][] = [
    ["v", String(after.version)],
    ["r", JSON.stringify(small)],
  ];
  const remove: string[] = [];
  for (const [field, part] of PARTS) {
    const value = after[part];
    // Steps replace what they change.
    if (before !== undefined && before[part] === value) continue;
    if (value === undefined) remove.push(field);
    else set.push([field, JSON.stringify(value)]);
  }
  return { set, remove };
}

/** The states of sub-tasks are frozen: everybody who has the record shares them. */
export function recordOf([, record, input, progress, result, children]: StoredFields): TaskRecord {
  return {
    ...(JSON.parse(record as string) as Omit<TaskRecord, "input" | "children">),
    input: JSON.parse(input as string) as JsonValue,
    progress: parsed(progress),
    result: parsed(result),
    children: frozenStates(JSON.parse(children as string) as TaskRecord["children"]),
  };
}

function frozenStates(children: TaskRecord["children"]): TaskRecord["children"] {
  for (const child of Object.values(children)) Object.freeze(child);
  return children;
}

function parsed(json: string | null): JsonValue | undefined {
  return json === null ? undefined : (JSON.parse(json) as JsonValue);
}

/** The sets in which a record is found. A root stands in no set of its run: its id is the run's. */
export function indexesOf(record: TaskRecord): string {
  const { id, status, type, userId, parentId, rootId } = record;
  const indexes = ["tasks", statusIndex(status), typeIndex(type)];
  if (userId !== undefined) indexes.push(userIndex(userId));
  if (parentId !== undefined) indexes.push(parentIndex(parentId));
  if (rootId !== id) indexes.push(runIndex(rootId));
  return indexes.join(" ");
}

export const statusIndex = (status: string) => `status:${status}`;
export const typeIndex = (type: string) => `type:${encodeKey(type)}`;
export const userIndex = (userId: string) => `user:${encodeKey(userId)}`;
export const parentIndex = (parentId: string) => `parent:${encodeKey(parentId)}`;
export const runIndex = (rootId: string) => `run:${encodeKey(rootId)}`;
