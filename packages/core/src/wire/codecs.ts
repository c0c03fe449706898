import { writeObject } from "./bytes.ts";
import { decodeEvent, encodeEvent } from "./envelope.ts";
import { dictionaryOf } from "./fields.ts";
import type { EventEnvelope } from "./messages.ts";

/** How events look on the wire. Commands are always CloudEvents. */
export interface EventCodec {
  /** @throws `NOT_SERIALIZABLE`. */
  encode(event: EventEnvelope): Uint8Array;
  /** @throws `DECODE_FAILED` for bytes that it cannot read, and nothing else. */
  decode(bytes: Uint8Array): EventEnvelope;
}

/** CloudEvents 1.0 as structured JSON. Reads plain dictionaries too, so that publishers from before reach listeners of now. */
export const cloudEventsCodec: EventCodec = { encode: encodeEvent, decode: decodeEvent };

/**
 * Plain dictionaries, for subscribers from before:
 * `{ event_type, event_version, timestamp, event_id, source?, correlation_id?, causation_id?, traceparent?, …payload }`, the payload's fields flat beside the others.
 *
 * Written: `timestamp` in ISO 8601; a payload with a field of one of these names is refused with `NOT_SERIALIZABLE`.
 *
 * Read: `timestamp` may be ISO 8601 (UTC without an offset) or seconds or milliseconds since the epoch. Missing or unreadable: `event_version` is "1.0"; `timestamp` is 0, not
 * known; `event_id` is empty, no deduplication; `event_type` is empty, to be taken from the delivery. `source` and the three after it are payload where they hold no text.
 * CloudEvents are read too, so that publishers can be changed one by one.
 */
export const plainCodec: EventCodec = {
  encode: (event) => writeObject(dictionaryOf(event), event.data, `the data of event "${event.type}"`),
  decode: decodeEvent,
};
