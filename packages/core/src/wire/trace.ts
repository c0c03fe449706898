import { randomByte } from "./random.ts";

/** W3C trace context: version, trace id, parent id, flags. Versions to come may say more after a further dash. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|(?<!^00.*)-)/;

/** The character codes of the latest root: made into a text at once, since one that grows digit by digit is a chain of texts. */
const codes = Array.from(`00-${"0".repeat(32)}-${"0".repeat(16)}-01`, (character) => character.charCodeAt(0));
const TRACE_ID = 3;
const SPAN_ID = 36;
const FLAGS = 53;
const HEX_DIGITS = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/** Whether a text is a valid `traceparent`. */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

/** The root of a new trace, marked as sampled. */
export function newTraceparent(): string {
  randomise(TRACE_ID, SPAN_ID - 1);
  randomise(SPAN_ID, FLAGS - 1);
  return String.fromCharCode(...codes);
}

/** A new span in the parent's trace, with its flags; a new trace where the parent is not valid, as the specification asks. */
export function childTraceparent(parent: string): string {
  const root = newTraceparent();
  if (!isTraceparent(parent)) return root;
  return `00-${parent.slice(TRACE_ID, SPAN_ID - 1)}-${root.slice(SPAN_ID, FLAGS - 1)}-${parent.slice(FLAGS, FLAGS + 2)}`;
}

/** Puts random digits from one place up to another. */
function randomise(from: number, to: number): void {
  for (let place = from; place < to; place += 2) {
    const byte = randomByte();
    codes[place] = HEX_DIGITS[byte >> 4] as number;
    codes[place + 1] = HEX_DIGITS[byte & 15] as number;
  }
}
