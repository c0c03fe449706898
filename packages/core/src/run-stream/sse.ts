import { IntermodalError } from "../errors.ts";
import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import { eventId } from "./event-id.ts";
import { type RunSegment, toWire } from "./run-event.ts";

export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  vary: "accept, last-event-id",
  "x-accel-buffering": "no",
};

/** What a browser's `EventSource` raises of its own: an event under such a name would be taken for the connection's. */
const OF_THE_CONNECTION: readonly string[] = ["error", "open"];

export interface SseFields {
  readonly id?: string | undefined;
  readonly event?: string | undefined;
  readonly data: string;
}

/** A comment, which every client ignores: it keeps proxies from taking a quiet connection for a dead one. */
export const SSE_HEARTBEAT = ": heartbeat\n\n";

/**
 * Encodes one message. Line breaks in `data`, of whatever kind, arrive as LF.
 * @throws `VALIDATION_FAILED` for a CR, LF or NUL in `id` or `event`, which would forge other fields.
 */
export function encodeSse(message: SseFields): string {
  const { id, event, data } = message;
  let encoded = "";
  if (id !== undefined) encoded += `id: ${checked("id", id)}\n`;
  if (event !== undefined) encoded += `event: ${checked("event", event)}\n`;
  // JSON has no raw line breaks, so the common case needs no splitting.
  if (!/[\r\n]/.test(data)) return `${encoded}data: ${data}\n\n`;
  for (const line of data.split(/\r\n|\r|\n/)) encoded += `data: ${line}\n`;
  return `${encoded}\n`;
}

/** How long a browser is to wait before it connects again. */
export function encodeSseRetry(delayMs: number): string {
  return `retry: ${delayMs}\n\n`;
}

/** An event of a run: its name as the event, where it can be one, and all of it as JSON. */
export function encodeRunEvent({ runId, segment }: RunSegment, stored: StoredRunEvent): string {
  return encodeSse({
    id: eventId({ segment, sequence: stored.sequence }),
    event: OF_THE_CONNECTION.includes(stored.event) ? undefined : stored.event,
    data: JSON.stringify(toWire(runId, stored)),
  });
}

/** What was asked for and is gone. Its id is that of the last event that is gone, so that a client resumes behind it. */
export function encodeRunGap({ segment }: RunSegment, { gap }: StreamGap): string {
  return encodeSse({
    id: eventId({ segment, sequence: gap.to }),
    event: "gap",
    data: JSON.stringify({ from: gap.from, to: gap.to }),
  });
}

function checked(field: string, value: string): string {
  if (!/[\r\n\0]/.test(value)) return value;
  throw new IntermodalError(
    "VALIDATION_FAILED",
    `the ${field} of a server-sent event must have no line break and no NUL: ${JSON.stringify(value)}`,
  );
}
