import { IntermodalError } from "../errors.ts";
import type { StoredRunEvent } from "../ports/event-stream.ts";
import type { JsonValue } from "../ports/json.ts";
import { eventId, positionOf } from "./event-id.ts";

/** An entry of a run's stream, as applications read it. */
export interface RunEvent<Data = JsonValue, Name extends string = string> {
  readonly runId: string;
  /** What to keep, to go on behind it later. */
  readonly id: string;
  /** Gapless from 1 within the run; a replay begins at 1 again. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** What it comes from: a task's id, or a name of the application's. */
  readonly source: string;
  /** Such as `lifecycle.started` or `token`. */
  readonly name: Name;
  readonly data: Data;
}

/** Events `from` to `to` (both included) were asked for and are gone. */
export interface RunGap {
  readonly gap: { readonly from: number; readonly to: number };
}

/** An entry of a run's stream on the wire. */
export interface WireRunEvent {
  readonly run_id: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly sequence: number;
  readonly source: string;
  readonly event: string;
  readonly data: JsonValue;
}

/** The names of the events with which a run ends. */
export const TERMINAL_EVENTS: readonly string[] = ["lifecycle.completed", "lifecycle.failed"];

/** Where events stand: their run, and which of its segments. */
export interface RunSegment {
  readonly runId: string;
  /** As in `RunPosition`. */
  readonly segment: number;
}

/** The name of the message in place of a stream that cannot be read for now. */
export const UNAVAILABLE_EVENT = "unavailable";

export function toRunEvent({ runId, segment }: RunSegment, stored: StoredRunEvent): RunEvent {
  const { sequence, timestamp, source, event, data } = stored;
  return { runId, id: eventId({ segment, sequence }), sequence, timestamp, source, name: event, data };
}

export function toWire(runId: string, stored: StoredRunEvent): WireRunEvent {
  const { sequence, timestamp, source, event, data } = stored;
  return { run_id: runId, timestamp, sequence, source, event, data };
}

/**
 * Reads a message: an event as {@link toWire} made it, or a gap.
 * @param id the message's, which says the segment.
 * @throws `DECODE_FAILED`.
 */
export function fromWire(json: string, id: string): { readonly segment: number; readonly entry: RunEvent | RunGap } {
  const entry = entryOf(json, id);
  const sequence = "gap" in entry ? entry.gap.to : entry.sequence;
  const position = segmentIn(id);
  if (position?.sequence !== sequence) throw undecodable(`${id} ${json}`);
  return { segment: position.segment, entry };
}

function segmentIn(id: string) {
  try {
    return positionOf(id);
  } catch {
    return undefined;
  }
}

function entryOf(json: string, id: string): RunEvent | RunGap {
  const { run_id, sequence, timestamp, source, event, data, from, to } = decodeObject(json);
  if (run_id === undefined && isSequence(from) && isSequence(to)) return { gap: { from, to } };
  const whole =
    typeof run_id === "string" &&
    isSequence(sequence) &&
    typeof timestamp === "number" &&
    typeof source === "string" &&
    typeof event === "string" &&
    data !== undefined;
  if (!whole) throw undecodable(json);
  return { runId: run_id, id, sequence, timestamp, source, name: event, data };
}

function decodeObject(json: string): Partial<WireRunEvent & RunGap["gap"]> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below, as JSON of another shape is.
  }
  throw undecodable(json);
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function undecodable(json: string): IntermodalError {
  return new IntermodalError(
    "DECODE_FAILED",
    `the server sent something that is no event of a run's stream: ${json.slice(0, 100)}`,
  );
}
