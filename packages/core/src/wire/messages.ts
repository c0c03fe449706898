import type { TaskDraft } from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";
import type { JsonObject } from "./json.ts";

/** What every message says about itself. */
export interface Envelope {
  readonly id: string;
  /** The contract's name. */
  readonly type: string;
  /** `major.minor`, as its sender wrote it. */
  readonly version: string;
  /** The app it comes from; empty where it did not say. */
  readonly source: string;
  /** When it was made, in milliseconds since the epoch; 0 where it does not say. */
  readonly time: number;
  readonly traceparent?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
}

/** A command or task as a message carries it. */
export interface CommandEnvelope extends Envelope {
  readonly queue: string;
  /** The parameters as their sender passed them. */
  readonly data: JsonValue;
  readonly userId?: string | undefined;
  /** Absent: a plain command. */
  readonly task?: TaskFields | undefined;
}

/** What the message of a task carries beyond a command's, so that its record can be made from it. Its `createdAt` is the envelope's `time`. */
export interface TaskFields
  extends Pick<
    TaskDraft,
    "rootId" | "parentId" | "key" | "parentSeries" | "series" | "streamId" | "notBefore" | "deadlineAt" | "retentionMs"
  > {
  /** Which sending within the series this is. */
  readonly send: number;
}

/** An event as a message carries it. An empty `id` means that it has none, so that it can't be recognised when it comes twice. */
export interface EventEnvelope extends Envelope {
  readonly data: JsonObject;
}
