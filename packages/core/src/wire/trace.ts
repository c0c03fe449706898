import { randomByte } from "./random.ts";

/** W3C trace context: version, trace id, parent id, flags. Versions to come may say more after a further dash. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|(?<!^00.*)-)/;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const SAMPLED = "01";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Whether a text is a valid `traceparent`. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

/** The root of a new trace, marked as sampled. */
export function newTraceparent(): string {
  return `00-${randomHex(TRACE_ID_BYTES)}-${randomHex(SPAN_ID_BYTES)}-${SAMPLED}`;
}

/** A new span in the parent's trace, with its flags; a new trace where the parent is not valid, as the specification asks. */
export function childTraceparent(parent: string): string {
  if (!isTraceparent(parent)) return newTraceparent();
  return `00-${parent.slice(3, 35)}-${randomHex(SPAN_ID_BYTES)}-${parent.slice(53, 55)}`;
}

function randomHex(bytes: number): string {
  let text = "";
  for (let index = 0; index < bytes; index++) text += HEX[randomByte()] as string;
  return text;
}
