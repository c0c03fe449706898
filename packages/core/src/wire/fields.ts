/**
 * The one place where names in TypeScript meet names on the wire: the attributes of CloudEvents 1.0, which may have lower-case letters and digits
 * only, and the fields of plain dictionaries.
 */
import { IntermodalError } from "../errors.ts";
import type { JsonValue } from "../ports/json.ts";
import { decodeFailed, isObject, type UnknownObject } from "./bytes.ts";
import { type JsonObject, setOwn } from "./json.ts";
import { looseText, looseTime, looseVersion, textOr } from "./loose.ts";
import type { CommandEnvelope, EventEnvelope, TaskFields } from "./messages.ts";
import {
  count,
  duration,
  optionalCount,
  optionalText,
  optionalTime,
  text,
  time,
  type Unread,
  wrong,
} from "./reader.ts";
import { writeTime } from "./time.ts";

const SPEC_VERSION = "1.0";
const JSON_CONTENT = "application/json";
const DEFAULT_VERSION = "1.0";

export function commandAttributes(envelope: CommandEnvelope): object {
  const { task } = envelope;
  if (task === undefined) return { ...eventAttributes(envelope), userid: envelope.userId, queue: envelope.queue };
  return {
    specversion: SPEC_VERSION,
    id: envelope.id,
    source: envelope.source,
    type: envelope.type,
    time: writeTime(envelope.time),
    datacontenttype: JSON_CONTENT,
    dataversion: envelope.version,
    traceparent: envelope.traceparent,
    correlationid: envelope.correlationId,
    causationid: envelope.causationId,
    userid: envelope.userId,
    queue: envelope.queue,
    taskseries: task.series,
    tasksend: task.send,
    // Most tasks are the root of their run, and most runs have one series: not said then.
    taskroot: task.rootId === envelope.id ? undefined : task.rootId,
    taskstream: task.streamId === task.rootId ? undefined : task.streamId,
    taskparent: task.parentId,
    taskparentseries: task.parentSeries,
    taskkey: task.key,
    tasknotbefore: task.notBefore === undefined ? undefined : writeTime(task.notBefore),
    taskdeadline: task.deadlineAt === undefined ? undefined : writeTime(task.deadlineAt),
    // A text: whole numbers of CloudEvents have 32 bits, which is 24 days of milliseconds.
    taskretention: String(task.retentionMs),
    data: envelope.data,
  };
}

export function readCommand(fields: UnknownObject): CommandEnvelope {
  const from: Unread = { kind: "command", fields };
  checkCloudEvent(from);
  const isTask = fields.taskseries !== undefined;
  return {
    id: text(from, "id"),
    type: text(from, "type"),
    version: optionalText(from, "dataversion") ?? DEFAULT_VERSION,
    source: optionalText(from, "source") ?? "",
    // The age of a task decides whether its record may be made from the message.
    time: isTask ? time(from, "time") : (optionalTime(from, "time") ?? 0),
    queue: text(from, "queue"),
    data: (fields.data as JsonValue | undefined) ?? null,
    traceparent: optionalText(from, "traceparent"),
    correlationId: optionalText(from, "correlationid"),
    causationId: optionalText(from, "causationid"),
    userId: optionalText(from, "userid"),
    task: isTask ? readTask(from) : undefined,
  };
}

function readTask(from: Unread): TaskFields {
  const rootId = optionalText(from, "taskroot") ?? text(from, "id");
  return {
    rootId,
    parentId: optionalText(from, "taskparent"),
    key: optionalText(from, "taskkey"),
    parentSeries: optionalCount(from, "taskparentseries"),
    series: count(from, "taskseries"),
    streamId: optionalText(from, "taskstream") ?? rootId,
    notBefore: optionalTime(from, "tasknotbefore"),
    deadlineAt: optionalTime(from, "taskdeadline"),
    retentionMs: duration(from, "taskretention"),
    send: count(from, "tasksend"),
  };
}

export function eventAttributes(event: EventEnvelope | CommandEnvelope): object {
  return {
    specversion: SPEC_VERSION,
    id: event.id,
    source: event.source,
    type: event.type,
    time: writeTime(event.time),
    datacontenttype: JSON_CONTENT,
    dataversion: event.version,
    traceparent: event.traceparent,
    correlationid: event.correlationId,
    causationid: event.causationId,
    data: event.data,
  };
}

/** Reads CloudEvents and, without `specversion`, plain dictionaries. */
export function readEvent(fields: UnknownObject): EventEnvelope {
  if (fields.specversion === undefined) return readDictionary(fields);
  const from: Unread = { kind: "event", fields };
  checkCloudEvent(from);
  const data = fields.data ?? {};
  if (!isObject(data)) throw wrong(from, "data", "an object");
  return {
    id: text(from, "id"),
    type: text(from, "type"),
    version: optionalText(from, "dataversion") ?? DEFAULT_VERSION,
    source: optionalText(from, "source") ?? "",
    time: optionalTime(from, "time") ?? 0,
    data: data as JsonObject,
    traceparent: optionalText(from, "traceparent"),
    correlationId: optionalText(from, "correlationid"),
    causationId: optionalText(from, "causationid"),
  };
}

function checkCloudEvent(from: Unread): void {
  if (from.fields.specversion !== SPEC_VERSION) throw wrong(from, "specversion", `"${SPEC_VERSION}"`);
  if (from.fields.data_base64 === undefined) return;
  throw decodeFailed(from.kind, `binary data ("data_base64") is not understood; send JSON in "data"`);
}

/** Fields of a plain dictionary that are never payload. */
const METADATA: ReadonlySet<string> = new Set(["event_type", "event_version", "timestamp", "event_id"]);
/** Fields that are metadata where they hold a text: publishers from before may use the same names for something else. */
const OPTIONAL_METADATA: ReadonlySet<string> = new Set(["source", "correlation_id", "causation_id", "traceparent"]);

/** @throws `NOT_SERIALIZABLE` where the payload has a field that means something else on the wire. */
export function dictionaryOf(event: EventEnvelope): object {
  for (const key in event.data) {
    if (!METADATA.has(key) && !OPTIONAL_METADATA.has(key)) continue;
    throw new IntermodalError(
      "NOT_SERIALIZABLE",
      `the data of event "${event.type}" has a field "${key}", which a plain dictionary keeps for itself; rename it, or use the default codec`,
    );
  }
  return {
    event_type: event.type,
    event_version: event.version,
    timestamp: writeTime(event.time),
    event_id: event.id,
    source: event.source === "" ? undefined : event.source,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
    traceparent: event.traceparent,
    ...event.data,
  };
}

function readDictionary(fields: UnknownObject): EventEnvelope {
  const data: Record<string, JsonValue> = {};
  for (const key of Object.keys(fields)) {
    const isMetadata = METADATA.has(key) || (OPTIONAL_METADATA.has(key) && typeof fields[key] === "string");
    if (!isMetadata) setOwn(data, key, fields[key] as JsonValue);
  }
  return {
    id: looseText(fields.event_id) ?? "",
    type: textOr(fields.event_type, ""),
    version: looseVersion(fields.event_version) ?? DEFAULT_VERSION,
    source: textOr(fields.source, ""),
    time: looseTime(fields.timestamp) ?? 0,
    data,
    traceparent: textOr(fields.traceparent, undefined),
    correlationId: textOr(fields.correlation_id, undefined),
    causationId: textOr(fields.causation_id, undefined),
  };
}
