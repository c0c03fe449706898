import { systemClock } from "../ports/clock.ts";
import { randomByte } from "./random.ts";

/** Crockford's base 32: no letters that look alike, and in the order of the character codes. */
const DIGITS = Array.from("0123456789ABCDEFGHJKMNPQRSTVWXYZ", (digit) => digit.charCodeAt(0));
const TIME_DIGITS = 10;
const COUNTER_LIMIT = 32 ** 3;
const COUNTER_DIGITS = 3;
const ID_DIGITS = 26;

/** The character codes of the latest id: made into a text at once, since one that grows digit by digit is a chain of texts. */
const codes = new Array<number>(ID_DIGITS).fill(0);
let lastMs = -1;
let counter = 0;

/**
 * A new unique id of 26 digits and capital letters, laid out as a ULID: ids of one process sort in the order they were made, and those of different processes
 * by their time. 65 of its bits are random in each id, so that knowing one does not help to guess another.
 */
export function newId(now: number = systemClock.now()): string {
  if (now > lastMs) startAt(now);
  else if (++counter === COUNTER_LIMIT) startAt(lastMs + 1);
  codes[TIME_DIGITS] = digit(counter >>> 10);
  codes[TIME_DIGITS + 1] = digit(counter >>> 5);
  codes[TIME_DIGITS + 2] = digit(counter);
  for (let index = TIME_DIGITS + COUNTER_DIGITS; index < ID_DIGITS; index++) codes[index] = digit(randomByte());
  return String.fromCharCode(...codes);
}

/** When the clock goes back, ids go on from the latest time. */
function startAt(ms: number): void {
  lastMs = ms;
  // In the lower half, so that many more follow before the time has to be pushed on.
  counter = ((randomByte() << 8) | randomByte()) & (COUNTER_LIMIT / 2 - 1);
  let rest = ms;
  for (let index = TIME_DIGITS - 1; index >= 0; index--) {
    codes[index] = digit(rest % 32);
    rest = Math.floor(rest / 32);
  }
}

function digit(value: number): number {
  return DIGITS[value & 31] as number;
}
