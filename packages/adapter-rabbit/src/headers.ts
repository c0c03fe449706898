import type { DeadLetter, Delivery } from "@intermodal/core/ports";
import type { Message, MessageProperties, Options } from "amqplib";

/** Tries before this copy of the message that count. */
const TRIES = "intermodal-tries";
/** When it was sent first, in milliseconds: the property `timestamp` has seconds only. */
const SENT_AT = "intermodal-sent-at";
const DEAD_ID = "intermodal-dead-id";
const DEAD_AT = "intermodal-dead-at";
const ATTEMPTS = "intermodal-attempts";
const REASON = "intermodal-reason";

/** A header has to leave room in its frame for the others. */
const MAX_REASON = 8_192;

/** Keeps the dead letters of one millisecond in order. */
let deaths = 1_000_000_000;

/** What RabbitMQ writes on a message that it moved or delivered again; a copy starts without. */
const OF_THE_BROKER = /^x-(?:death|first-death-|last-death-|delivery-count|acquired-count|opt-)/;
const OF_DEAD_LETTERS: ReadonlySet<string> = new Set([DEAD_ID, DEAD_AT, ATTEMPTS, REASON]);

/** How many bytes the headers and properties of a message may take. */
export const HEADER_ROOM = 65_536;

/** The properties of a message that is sent. */
export function outgoing(id: string, type: string, now: number, mandatory: boolean): Options.Publish {
  return {
    mandatory,
    persistent: true,
    messageId: id,
    type,
    timestamp: Math.floor(now / 1_000),
    contentType: "application/cloudevents+json",
    headers: { [SENT_AT]: now },
  };
}

/** What a message says of itself, also one of another client's without any of our headers. */
export function incoming(message: Message, type: string | undefined, now: number): Omit<Delivery, "signal"> {
  const { properties, content } = message;
  const headers = properties.headers ?? {};
  return {
    id: text(properties.messageId) ?? crypto.randomUUID(),
    type: type ?? text(properties.type) ?? "",
    body: new Uint8Array(content.buffer, content.byteOffset, content.length),
    attempt: (whole(headers[TRIES]) ?? 0) + (whole(headers["x-delivery-count"]) ?? 0) + 1,
    sentAt: whole(headers[SENT_AT]) ?? seconds(properties.timestamp) ?? now,
  };
}

/** The properties of a copy that takes the place of a delivery, after `tries` tries that count. */
export function again({ properties }: Message, delivery: Omit<Delivery, "signal">, tries: number): Options.Publish {
  return copied(properties, delivery, { [TRIES]: tries });
}

/** The properties of a dead letter. */
export function dead(
  { properties }: Message,
  delivery: Omit<Delivery, "signal">,
  { reason, attempts = delivery.attempt }: { readonly reason: string; readonly attempts?: number | undefined },
  now: number,
): Options.Publish {
  return copied(properties, delivery, {
    [DEAD_ID]: deadLetterId(now, `${deaths++}.${crypto.randomUUID().slice(0, 8)}`),
    [DEAD_AT]: now,
    [ATTEMPTS]: attempts,
    [REASON]: reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON - 1).toWellFormed()}…` : reason,
  });
}

/** A message as a dead letter, also one that the broker put aside by itself. */
export function deadLetter(message: Message): DeadLetter {
  const { id, type, body } = incoming(message, undefined, 0);
  const headers = message.properties.headers ?? {};
  const [death] = headers["x-death"] ?? [];
  const deadAt = whole(headers[DEAD_AT]) ?? seconds(death?.time.value) ?? 0;
  return {
    deadLetterId: text(headers[DEAD_ID]) ?? deadLetterId(deadAt, id),
    id,
    type,
    body,
    reason:
      text(headers[REASON]) ??
      (death === undefined ? "put here by another program" : `RabbitMQ put it aside: ${death.reason}`),
    attempts: whole(headers[ATTEMPTS]) ?? (whole(headers[TRIES]) ?? 0) + 1,
    deadAt,
  };
}

/** A dead letter as a message that was never tried. */
export function replayed(message: Message): { readonly properties: Options.Publish; readonly body: Uint8Array } {
  const delivery = incoming(message, undefined, 0);
  return { properties: again(message, delivery, 0), body: delivery.body };
}

/** Sorts by time. */
function deadLetterId(deadAt: number, distinct: string): string {
  return `${deadAt.toString(36).padStart(9, "0")}.${distinct}`;
}

function copied(
  properties: MessageProperties,
  { id, type, sentAt }: Omit<Delivery, "signal">,
  headers: Readonly<Record<string, unknown>>,
): Options.Publish {
  const kept = Object.entries(properties.headers ?? {}).filter(
    ([name]) => !OF_THE_BROKER.test(name) && !OF_DEAD_LETTERS.has(name) && name !== TRIES,
  );
  return {
    mandatory: true,
    persistent: true,
    messageId: id,
    type,
    timestamp: properties.timestamp,
    contentType: properties.contentType,
    contentEncoding: properties.contentEncoding,
    correlationId: properties.correlationId,
    replyTo: properties.replyTo,
    appId: properties.appId,
    headers: { ...Object.fromEntries(kept), [SENT_AT]: sentAt, ...headers },
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function whole(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

function seconds(value: unknown): number | undefined {
  const found = whole(value);
  return found === undefined ? undefined : found * 1_000;
}
