import type { ScheduleDefinition, ScheduleRecord, ScheduleState, ScheduleWrite } from "@intermodal/core/ports";
import { readPayload, storePayload } from "./payload.ts";
import { decodeText, encodeText } from "./text.ts";
import { readTime, type StoredTime, storeTime } from "./times.ts";
import type { CollectionSpec } from "./topology.ts";

/** Where schedules stand: a document each, to be queried by hand too. */
export const SCHEDULES: CollectionSpec = {
  part: "schedules",
  indexes: [{ name: "due_at", key: { due_at: 1, _id: 1 }, partialFilterExpression: { due_at: { $exists: true } } }],
};

/** Fields that are absent in the record are absent here. */
export interface ScheduleDocument {
  /** The schedule's name. */
  readonly _id: string;
  readonly revision: string;
  readonly type: string;
  readonly task_version: string;
  readonly queue: string;
  readonly retention_ms: number;
  readonly parameters?: unknown;
  readonly parameters_json?: string | undefined;
  readonly user_id?: string | undefined;
  readonly cron?: string | undefined;
  readonly timezone?: string | undefined;
  readonly every_ms?: number | undefined;
  readonly at?: StoredTime | undefined;
  readonly enabled: boolean;
  readonly missed: ScheduleDefinition["missed"];
  readonly overlap: ScheduleDefinition["overlap"];
  readonly state: ScheduleState;
  readonly next_at?: StoredTime | undefined;
  readonly last_due_at?: StoredTime | undefined;
  readonly last_fired_at?: StoredTime | undefined;
  readonly last_task_id?: string | undefined;
  readonly fires: number;
  readonly created_at: StoredTime;
  readonly updated_at: StoredTime;
  /** `next_at` of one that runs: what is due is found by it. */
  readonly due_at?: StoredTime | undefined;
}

/** The fields that a write may leave out. */
const OPTIONAL = [
  "parameters",
  "parameters_json",
  "user_id",
  "cron",
  "timezone",
  "every_ms",
  "at",
  "next_at",
  "last_due_at",
  "last_fired_at",
  "last_task_id",
  "due_at",
] as const satisfies readonly (keyof ScheduleDocument)[];

/** What makes a document of a write, whatever it was before. The server's clock stamps it. */
export function updateOf(write: ScheduleWrite): object[] {
  const set: Record<string, unknown> = {
    created_at: { $ifNull: ["$created_at", "$$NOW"] },
    updated_at: "$$NOW",
  };
  // Literal: what comes from users is nothing to be worked out.
  for (const [field, value] of Object.entries(fieldsOf(write)))
    if (value !== undefined) set[field] = { $literal: value };
  return [{ $unset: OPTIONAL }, { $set: set }];
}

function fieldsOf({ schedule }: ScheduleWrite): Omit<ScheduleDocument, "_id" | "created_at" | "updated_at"> {
  const { definition, state, nextAt, lastDueAt, lastFiredAt, lastTaskId, fires, revision } = schedule;
  const { type, taskVersion, queue, retentionMs, input, userId, timing, enabled, missed, overlap } = definition;
  const { value, json } = storePayload(input);
  return {
    revision,
    type: encodeText(type),
    task_version: encodeText(taskVersion),
    queue: encodeText(queue),
    retention_ms: retentionMs,
    parameters: value,
    parameters_json: json,
    user_id: userId === undefined ? undefined : encodeText(userId),
    ...("cron" in timing && { cron: encodeText(timing.cron), timezone: encodeText(timing.timezone) }),
    ...("everyMs" in timing && { every_ms: timing.everyMs }),
    ...("at" in timing && { at: storeTime(timing.at) }),
    enabled,
    missed,
    overlap,
    state,
    next_at: storeTime(nextAt),
    last_due_at: storeTime(lastDueAt),
    last_fired_at: storeTime(lastFiredAt),
    last_task_id: lastTaskId === undefined ? undefined : encodeText(lastTaskId),
    fires,
    due_at: state === "running" ? storeTime(nextAt) : undefined,
  };
}

export function scheduleOf(document: ScheduleDocument): ScheduleRecord {
  const { user_id, last_task_id } = document;
  return {
    name: decodeText(document._id),
    revision: document.revision,
    definition: {
      type: decodeText(document.type),
      taskVersion: decodeText(document.task_version),
      queue: decodeText(document.queue),
      retentionMs: document.retention_ms,
      input: readPayload(document.parameters, document.parameters_json) ?? null,
      userId: user_id === undefined ? undefined : decodeText(user_id),
      timing: timingOf(document),
      enabled: document.enabled,
      missed: document.missed,
      overlap: document.overlap,
    },
    state: document.state,
    nextAt: readTime(document.next_at),
    lastDueAt: readTime(document.last_due_at),
    lastFiredAt: readTime(document.last_fired_at),
    lastTaskId: last_task_id === undefined ? undefined : decodeText(last_task_id),
    fires: document.fires,
    createdAt: readTime(document.created_at),
    updatedAt: readTime(document.updated_at),
  };
}

function timingOf({ cron, timezone, every_ms, at }: ScheduleDocument): ScheduleDefinition["timing"] {
  if (cron !== undefined) return { cron: decodeText(cron), timezone: decodeText(timezone ?? "UTC") };
  return every_ms === undefined ? { at: readTime(at as StoredTime) } : { everyMs: every_ms };
}
