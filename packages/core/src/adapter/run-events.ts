import { IntermodalError } from "../errors.ts";
import type { NewRunEvent } from "../ports/event-stream.ts";
import { takePayload } from "./payload.ts";

/** The longest data of an event that every event stream takes, as JSON. */
export const MAX_EVENT_DATA_BYTES = 1_048_576;

const FORBIDDEN_IN_NAMES = /[\r\n\0]/;

/**
 * Takes an event over from its caller, with a copy of its data that nobody else can change.
 * @throws `VALIDATION_FAILED`, `PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`.
 */
export function takeRunEvent(event: NewRunEvent, maxDataBytes = MAX_EVENT_DATA_BYTES): NewRunEvent {
  if (FORBIDDEN_IN_NAMES.test(event.event))
    throw new IntermodalError(
      "VALIDATION_FAILED",
      `the event name ${JSON.stringify(event.event)} must not hold CR, LF or NUL`,
    );
  if (!(Number.isSafeInteger(event.n) && event.n > 0))
    throw new IntermodalError("VALIDATION_FAILED", `an event's n is ${event.n}, but must be a whole number from 1`);
  return { ...event, data: takePayload(event.data, maxDataBytes, "data of an event") };
}

export function invalidCursor(streamId: string, after: number, last: number): IntermodalError {
  return new IntermodalError(
    "CURSOR_INVALID",
    `stream ${streamId} has no event ${after} to read after (its last is ${last}); it may have expired: read from the beginning`,
  );
}

export function streamEnded(streamId: string): IntermodalError {
  return new IntermodalError("STREAM_ENDED", `stream ${streamId} has its terminal event; nothing can follow it`);
}

/** Of an event that is repeated nothing is known any more but that it was there. */
export function eventForgotten({ writer, n }: NewRunEvent): IntermodalError {
  return new IntermodalError(
    "CONFLICT",
    `event ${n} of writer ${writer} was stored so long ago that its sequence is no longer known; don't append it again`,
  );
}
