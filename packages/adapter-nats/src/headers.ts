import type { Msg, MsgHdrs } from "@nats-io/transport-node";

const MSG_ID = "Nats-Msg-Id";
const EXPECTED_STREAM = "Nats-Expected-Stream";
const EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence";
const ID = "Intermodal-Id";
const TYPE = "Intermodal-Type";
const SENT_AT = "Intermodal-Sent-At";
const TRIES = "Intermodal-Tries";
const REASON = "Intermodal-Reason";
const ATTEMPTS = "Intermodal-Attempts";
const DELAY = "Intermodal-Delay-Ms";
const TARGET = "Intermodal-Target";

/** What bodies must leave free of the server's `max_payload`: an id of 256 characters twice, each 9 bytes at worst, the reason, and names. */
export const HEADER_ROOM = 16_384;
const LONGEST_REASON = 8_192;

/** What a message carries besides its body. */
export interface Carried {
  /** Transport id. */
  readonly id: string;
  readonly type: string;
  /** When the broker took it first; absent on the first copy, whose own time it is. */
  readonly sentAt?: number | undefined;
  /** Counted tries of earlier copies. */
  readonly tries: number;
  readonly reason?: string | undefined;
  readonly attempts?: number | undefined;
}

/** A message that is to be stored. */
export interface Stored {
  readonly stream: string;
  /** What the server recognises a repetition by. */
  readonly messageId: string;
  readonly carried: Carried;
  readonly delay?: Delay | undefined;
  /** Stored only if this is the sequence of the last message of its subject; 0: if there is none. */
  readonly expectedLast?: number | undefined;
}

/** Where a message goes when its time has come. */
export interface Delay {
  /** Counted from when the server stored the message. */
  readonly delayMs: number;
  readonly target: string;
}

/** The header block of a message, ready for the wire. */
export function encodeHeaders({ stream, messageId, carried, delay, expectedLast }: Stored): MsgHdrs {
  const { id, type, sentAt, tries, reason, attempts } = carried;
  let text = `NATS/1.0\r\n${MSG_ID}: ${messageId}\r\n${EXPECTED_STREAM}: ${stream}\r\n${TYPE}: ${type}\r\n`;
  const encodedId = encodeValue(id);
  if (encodedId !== messageId) text += `${ID}: ${encodedId}\r\n`;
  if (sentAt !== undefined) text += `${SENT_AT}: ${sentAt}\r\n`;
  if (tries > 0) text += `${TRIES}: ${tries}\r\n`;
  if (reason !== undefined) text += `${REASON}: ${encodeReason(reason)}\r\n`;
  if (attempts !== undefined) text += `${ATTEMPTS}: ${attempts}\r\n`;
  if (delay !== undefined) text += `${DELAY}: ${delay.delayMs}\r\n${TARGET}: ${delay.target}\r\n`;
  if (expectedLast !== undefined) text += `${EXPECTED_LAST}: ${expectedLast}\r\n`;
  return new EncodedHeaders(`${text}\r\n`) as unknown as MsgHdrs;
}

/** All that the client asks of headers that it sends; its own class builds a map and checks each value again, which costs more than the rest of a send. */
export class EncodedHeaders {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  encode(): Uint8Array {
    return encoder.encode(this.#text);
  }
}

const encoder = new TextEncoder();

/** What the headers of a stored message tell. Everything is optional: a publisher in another language needs none of them. */
export interface Read {
  readonly carried: Carried;
  readonly delay: Delay | undefined;
}

/** @param fallback of what carries no id and no type. */
export function readHeaders(
  headers: Iterable<[string, string[]]> | undefined,
  fallback: Pick<Carried, "id" | "type">,
): Read {
  let messageId: string | undefined;
  let id: string | undefined;
  let type: string | undefined;
  let sentAt: number | undefined;
  let reason: string | undefined;
  let [tries, attempts, delayMs, target] = [0, 0, 0, ""];
  if (headers !== undefined) {
    for (const [key, values] of headers) {
      const value = values[0] ?? "";
      if (key === MSG_ID) messageId = value;
      else if (key === TYPE) type = value;
      else if (key === ID) id = decodeValue(value);
      else if (key === SENT_AT) sentAt = number(value);
      else if (key === TRIES) tries = number(value) ?? 0;
      else if (key === REASON) reason = decodeValue(value);
      else if (key === ATTEMPTS) attempts = number(value) ?? 0;
      else if (key === DELAY) delayMs = number(value) ?? 0;
      else if (key === TARGET) target = value;
    }
  }
  // Somebody else's message id stands as it is; ours is encoded.
  id ??= type === undefined ? messageId : messageId && decodeValue(messageId);
  return {
    carried: { id: id || fallback.id, type: type ?? fallback.type, sentAt, tries, reason, attempts },
    delay: target === "" ? undefined : { delayMs, target },
  };
}

/** What a delivered message's reply subject tells. */
export interface DeliveryInfo {
  readonly sequence: number;
  /** How often the server has delivered this copy, this time included. */
  readonly delivered: number;
  /** When this copy was stored, in milliseconds since the epoch. */
  readonly storedAt: number;
}

/** `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<nanoseconds>.<pending>`, in its longer form with domain and account before the stream. */
export function readAckSubject(subject: string): DeliveryInfo {
  const tokens = subject.split(".");
  const at = countsIn(tokens);
  return {
    delivered: Number(tokens[at]),
    sequence: Number(tokens[at + 1]),
    storedAt: Math.floor(Number(tokens[at + 3]) / 1e6),
  };
}

/** Names a delivered copy by sequence and time: a stream that was made anew counts from 1 again, while what remembers message ids may be another one. */
export function copyOf(ackSubject: string): string {
  const tokens = ackSubject.split(".");
  const at = countsIn(tokens);
  return `${tokens[at + 1]}.${tokens[at + 3]}`;
}

function countsIn(tokens: readonly string[]): number {
  return tokens.length > 9 ? 6 : 4;
}

/** The status that the server sends in place of a message; 0 for a message. */
export function statusOf(message: Msg): number {
  // Messages come with a subject to acknowledge them on.
  if (message.reply) return 0;
  return message.headers?.code ?? 0;
}

const PLAIN = /^[!$&-}][!-$&-}]*$/;

/** Any text as a header's value, injectively. Values that begin with "~" are left to the adapter's own message ids. */
export function encodeValue(text: string): string {
  if (PLAIN.test(text)) return text;
  return encodeURIComponent(text).replace(/^~/, "%7E");
}

export function decodeValue(value: string): string {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** A reason of any length, cut where it would take more than its share of the room. */
function encodeReason(reason: string): string {
  for (let kept = Math.min(reason.length, LONGEST_REASON); ; kept = Math.floor(kept / 2)) {
    const text = kept === reason.length ? reason : `${reason.slice(0, kept)}…`;
    const encoded = encodeValue(text.toWellFormed());
    if (encoded.length <= LONGEST_REASON) return encoded;
  }
}

function number(value: string): number | undefined {
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}
