import type { TaskDraft } from "../lifecycle/record.ts";
import { readObject, writeObject } from "./bytes.ts";
import { commandAttributes, eventAttributes, readCommand, readEvent } from "./fields.ts";
import type { CommandEnvelope, EventEnvelope } from "./messages.ts";

export type { CommandEnvelope, Envelope, EventEnvelope, TaskFields } from "./messages.ts";

/**
 * CloudEvents 1.0 as structured JSON. `data` must be JSON already (see `toJson`): a NaN or a Date would be changed silently.
 * @throws `NOT_SERIALIZABLE` for what JSON cannot write at all.
 */
export function encodeCommand(envelope: CommandEnvelope): Uint8Array {
  return writeObject(commandAttributes(envelope), envelope.data, `the data of command "${envelope.type}"`);
}

/** @throws `DECODE_FAILED` with the reason, and nothing else, whatever the bytes are. */
export function decodeCommand(bytes: Uint8Array): CommandEnvelope {
  return readCommand(readObject(bytes, "command"));
}

/**
 * CloudEvents 1.0 as structured JSON. `data` must be JSON already (see `toJson`).
 * @throws `NOT_SERIALIZABLE` for what JSON cannot write at all.
 */
export function encodeEvent(envelope: EventEnvelope): Uint8Array {
  return writeObject(eventAttributes(envelope), envelope.data, `the data of event "${envelope.type}"`);
}

/**
 * Reads CloudEvents and, where `specversion` is absent, plain dictionaries (see `plainCodec`).
 * @throws `DECODE_FAILED` with the reason, and nothing else, whatever the bytes are.
 */
export function decodeEvent(bytes: Uint8Array): EventEnvelope {
  return readEvent(readObject(bytes, "event"));
}

/** The message of one sending of a task. @throws as {@link encodeCommand}. */
export function encodeTask(draft: TaskDraft, send: number, source: string): Uint8Array {
  return encodeCommand({
    id: draft.id,
    type: draft.type,
    version: draft.taskVersion,
    source,
    time: draft.createdAt,
    queue: draft.queue,
    data: draft.input,
    traceparent: draft.traceparent,
    correlationId: draft.correlationId,
    causationId: draft.causationId,
    userId: draft.userId,
    task: {
      rootId: draft.rootId,
      parentId: draft.parentId,
      key: draft.key,
      parentSeries: draft.parentSeries,
      series: draft.series,
      streamId: draft.streamId,
      notBefore: draft.notBefore,
      deadlineAt: draft.deadlineAt,
      retentionMs: draft.retentionMs,
      send,
    },
  });
}

/** The draft that {@link encodeTask} was given; `undefined` for a plain command. */
export function draftOf(envelope: CommandEnvelope): TaskDraft | undefined {
  const { task } = envelope;
  if (task === undefined) return undefined;
  return {
    id: envelope.id,
    type: envelope.type,
    taskVersion: envelope.version,
    queue: envelope.queue,
    input: envelope.data,
    userId: envelope.userId,
    parentId: task.parentId,
    rootId: task.rootId,
    key: task.key,
    parentSeries: task.parentSeries,
    series: task.series,
    streamId: task.streamId,
    createdAt: envelope.time,
    notBefore: task.notBefore,
    deadlineAt: task.deadlineAt,
    retentionMs: task.retentionMs,
    traceparent: envelope.traceparent,
    correlationId: envelope.correlationId,
    causationId: envelope.causationId,
  };
}

/** Names one sending of one series of a task to the broker. Injective, whatever the id: the last two colons are never the id's. */
export function transportId(id: string, series: number, send: number): string {
  return `${id}:${series}:${send}`;
}
