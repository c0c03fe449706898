import type { TaskRecord } from "../lifecycle/record.ts";
import { copyPayload } from "./payload.ts";

type Snapshot = { -readonly [Key in keyof TaskRecord]: TaskRecord[Key] };

/** A record as its receiver may keep and change it. */
export function snapshotOf(record: TaskRecord): TaskRecord {
  const snapshot: Snapshot = { ...record };
  snapshot.input = copyPayload(record.input);
  if (record.progress !== undefined) snapshot.progress = copyPayload(record.progress);
  if (record.result !== undefined) snapshot.result = copyPayload(record.result);
  if (record.error !== undefined) snapshot.error = { ...record.error };
  if (record.lease !== undefined) snapshot.lease = { ...record.lease };
  snapshot.failedSends = [...record.failedSends];
  // The states of sub-tasks are frozen, and may be many.
  snapshot.children = { ...record.children };
  snapshot.duties = [...record.duties];
  snapshot.owes = [...record.owes];
  return snapshot;
}
