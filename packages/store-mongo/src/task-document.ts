import {
  type ChildState,
  type Duty,
  type JsonValue,
  recoveryTime,
  summariseChildren,
  type TaskErrorInfo,
  type TaskLease,
  type TaskPhase,
  type TaskRecord,
  type TaskStatus,
  type TerminalStatus,
} from "@intermodal/core/ports";
import { readPayload, storePayload } from "./payload.ts";
import { decodeText, encodeText } from "./text.ts";
import { readTime, type StoredTime, storeTime } from "./times.ts";
import type { CollectionSpec } from "./topology.ts";

/** Where tasks stand: a document each, to be queried by hand too. */
export const TASKS: CollectionSpec = {
  part: "tasks",
  indexes: [
    { name: "created_at", key: { created_at: -1, _id: -1 } },
    { name: "status", key: { status: 1, created_at: -1, _id: -1 } },
    { name: "type", key: { type: 1, created_at: -1, _id: -1 } },
    { name: "user_id", key: { user_id: 1, created_at: -1, _id: -1 }, partialFilterExpression: present("user_id") },
    {
      name: "parent_id",
      key: { parent_id: 1, created_at: -1, _id: -1 },
      partialFilterExpression: present("parent_id"),
    },
    { name: "root_id", key: { root_id: 1, created_at: -1, _id: -1 } },
    { name: "recover_at", key: { recover_at: 1, _id: 1 }, partialFilterExpression: present("recover_at") },
    { name: "finished_at", key: { finished_at: 1 }, partialFilterExpression: present("finished_at") },
    { name: "expires_at", key: { expires_at: 1 }, expireAfterSeconds: 0 },
  ],
};

function present(field: string) {
  return { [field]: { $exists: true } };
}

/** A sub-task as its parent knows it. Keys come from users: they are no names of fields. */
interface StoredChild {
  readonly key: string;
  readonly id: string;
  readonly status: TaskStatus;
  readonly series: number;
}

/** Fields that are absent in the record are absent here. */
export interface TaskDocument {
  /** The task's id. */
  readonly _id: string;
  readonly type: string;
  readonly status: TaskStatus;
  readonly phase?: TaskPhase | undefined;
  readonly closes_as?: TerminalStatus | undefined;
  readonly withdrawn: boolean;
  readonly cancel_requested: boolean;
  readonly user_id?: string | undefined;
  readonly parameters?: JsonValue | undefined;
  readonly parameters_json?: string | undefined;
  readonly progress?: JsonValue | undefined;
  readonly progress_json?: string | undefined;
  readonly result?: JsonValue | undefined;
  readonly result_json?: string | undefined;
  readonly error?: TaskErrorInfo | undefined;
  readonly created_at: StoredTime;
  readonly updated_at: StoredTime;
  readonly started_at?: StoredTime | undefined;
  readonly finished_at?: StoredTime | undefined;
  readonly last_attempt_at?: StoredTime | undefined;
  readonly next_attempt_at?: StoredTime | undefined;
  readonly deadline_at?: StoredTime | undefined;
  readonly expires_at?: StoredTime | undefined;
  readonly retention_ms: number;
  readonly attempts: number;
  readonly retry_count: number;
  readonly node?: string | undefined;
  readonly parent_id?: string | undefined;
  readonly root_id: string;
  readonly key?: string | undefined;
  readonly parent_series?: number | undefined;
  readonly children?: readonly StoredChild[] | undefined;
  /** How they stand, for people: it follows from `children`. */
  readonly children_summary?: object | undefined;
  readonly queue: string;
  readonly task_version: string;
  readonly stream_id: string;
  readonly series: number;
  readonly epoch: number;
  readonly sends: number;
  readonly failed_sends: readonly number[];
  readonly sending_at: StoredTime;
  readonly sent_at?: StoredTime | undefined;
  readonly lease?: { readonly token: number; readonly expires_at: StoredTime; readonly counted: boolean } | undefined;
  readonly fence: number;
  readonly takeovers: number;
  readonly duties: readonly Duty[];
  readonly owes: readonly Duty[];
  readonly traceparent?: string | undefined;
  readonly correlation_id?: string | undefined;
  readonly causation_id?: string | undefined;
  readonly version: number;
  /** When the recovery sweep may want it; absent where it never will as it is. */
  readonly recover_at?: StoredTime | undefined;
  /** Names the latest writes, for their writers to find them again. */
  readonly written_as?: readonly string[] | undefined;
}

type Fields = { -readonly [Field in keyof TaskDocument]?: TaskDocument[Field] };

/** The fields of a record that stand in a document as they are. */
const SAME = [
  ["status", "status"],
  ["phase", "phase"],
  ["closesAs", "closes_as"],
  ["withdrawn", "withdrawn"],
  ["cancelRequested", "cancel_requested"],
  ["retentionMs", "retention_ms"],
  ["attempts", "attempts"],
  ["retryCount", "retry_count"],
  ["parentSeries", "parent_series"],
  ["series", "series"],
  ["epoch", "epoch"],
  ["sends", "sends"],
  ["failedSends", "failed_sends"],
  ["fence", "fence"],
  ["takeovers", "takeovers"],
  ["duties", "duties"],
  ["owes", "owes"],
  ["version", "version"],
] as const;

const TEXTS = [
  ["type", "type"],
  ["userId", "user_id"],
  ["node", "node"],
  ["parentId", "parent_id"],
  ["rootId", "root_id"],
  ["key", "key"],
  ["queue", "queue"],
  ["taskVersion", "task_version"],
  ["streamId", "stream_id"],
  ["traceparent", "traceparent"],
  ["correlationId", "correlation_id"],
  ["causationId", "causation_id"],
] as const;

const TIMES = [
  ["createdAt", "created_at"],
  ["updatedAt", "updated_at"],
  ["startedAt", "started_at"],
  ["finishedAt", "finished_at"],
  ["lastAttemptAt", "last_attempt_at"],
  ["nextAttemptAt", "next_attempt_at"],
  ["deadlineAt", "deadline_at"],
  ["expiresAt", "expires_at"],
  ["sendingAt", "sending_at"],
  ["sentAt", "sent_at"],
] as const;

const PAYLOADS = [
  ["input", "parameters", "parameters_json"],
  ["progress", "progress", "progress_json"],
  ["result", "result", "result_json"],
] as const;

/** What a write changes in a document. */
export interface DocumentChanges {
  readonly set: Fields;
  readonly unset: Readonly<Record<string, "">>;
}

/** @param before Absent: everything is new. */
export function changesOf(before: TaskRecord | undefined, after: TaskRecord): DocumentChanges {
  const set: Record<string, unknown> = {};
  const unset: Record<string, ""> = {};
  const put = (field: string, value: unknown) => {
    if (value !== undefined) set[field] = value;
    else if (before !== undefined) unset[field] = "";
  };
  // Steps replace what they change.
  const changed = (field: keyof TaskRecord) => before === undefined || before[field] !== after[field];
  for (const [field, name] of SAME) if (changed(field)) put(name, after[field]);
  for (const [field, name] of TEXTS) if (changed(field)) put(name, encoded(after[field]));
  for (const [field, name] of TIMES) if (changed(field)) put(name, storeTime(after[field]));
  for (const [field, name, jsonName] of PAYLOADS) {
    if (!changed(field)) continue;
    const { value, json } = storePayload(after[field]);
    put(name, value);
    put(jsonName, json);
  }
  if (changed("error")) put("error", after.error && mapError(after.error, encodeText));
  if (changed("lease")) put("lease", after.lease && storeLease(after.lease));
  if (changed("children")) {
    const children = Object.entries(after.children).map(storeChild);
    put("children", children.length === 0 ? undefined : children);
    put("children_summary", children.length === 0 ? undefined : summariseChildren(after.children));
  }
  put("recover_at", storeTime(recoveryTime(after)));
  return { set: set as Fields, unset };
}

export function recordOf(document: TaskDocument): TaskRecord {
  const record: Record<string, unknown> = { id: decodeText(document._id) };
  for (const [field, name] of SAME) record[field] = document[name];
  for (const [field, name] of TEXTS) record[field] = decoded(document[name]);
  for (const [field, name] of TIMES) record[field] = readTime(document[name]);
  for (const [field, name, jsonName] of PAYLOADS) record[field] = readPayload(document[name], document[jsonName]);
  const { error, lease, children } = document;
  record.error = error && mapError(error, decodeText);
  record.lease = lease && { token: lease.token, expiresAt: readTime(lease.expires_at), counted: lease.counted };
  record.children = readChildren(children ?? []);
  return record as unknown as TaskRecord;
}

function encoded(text: string | undefined): string | undefined {
  return text === undefined ? undefined : encodeText(text);
}

function decoded(text: string | undefined): string | undefined {
  return text === undefined ? undefined : decodeText(text);
}

function mapError({ name, message, code, stack }: TaskErrorInfo, map: (text: string) => string): TaskErrorInfo {
  return {
    name: map(name),
    message: map(message),
    ...(code !== undefined && { code: map(code) }),
    ...(stack !== undefined && { stack: map(stack) }),
  };
}

function storeLease({ token, expiresAt, counted }: TaskLease): TaskDocument["lease"] {
  return { token, expires_at: storeTime(expiresAt), counted };
}

function storeChild([key, { id, status, series }]: [string, ChildState]): StoredChild {
  return { key: encodeText(key), id: encodeText(id), status, series };
}

function readChildren(stored: readonly StoredChild[]): TaskRecord["children"] {
  // Unlike an assignment, this makes a key like `__proto__` one like any other.
  return Object.fromEntries(
    stored.map(({ key, id, status, series }) => [
      decodeText(key),
      Object.freeze({ id: decodeText(id), status, series }),
    ]),
  );
}
