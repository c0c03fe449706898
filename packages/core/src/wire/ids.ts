import { systemClock } from "../ports/clock.ts";
import { randomByte } from "./random.ts";

/** Crockford's base 32: no letters that look alike, and in the order of the character codes. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const COUNTER_LIMIT = 32 ** 3;
const RANDOM_DIGITS = 13;

let lastMs = -1;
let timeText = "";
let counter = 0;

/**
 * A new unique id of 26 digits and capital letters, laid out as a ULID: ids of one process sort in the order they were made, and those of different processes
 * by their time. 65 of its bits are random in each id, so that knowing one does not help to guess another.
 */
export function newId(now: number = systemClock.now()): string {
  if (now > lastMs) startAt(now);
  else if (++counter === COUNTER_LIMIT) startAt(lastMs + 1);
  let id = timeText + digit(counter >>> 10) + digit(counter >>> 5) + digit(counter);
  for (let index = 0; index < RANDOM_DIGITS; index++) id += digit(randomByte());
  return id;
}

/** When the clock goes back, ids go on from the latest time. */
function startAt(ms: number): void {
  lastMs = ms;
  // In the lower half, so that many more follow before the time has to be pushed on.
  counter = ((randomByte() << 8) | randomByte()) & (COUNTER_LIMIT / 2 - 1);
  timeText = "";
  let rest = ms;
  for (let index = 0; index < TIME_DIGITS; index++) {
    timeText = digit(rest % 32) + timeText;
    rest = Math.floor(rest / 32);
  }
}

function digit(value: number): string {
  return DIGITS[value & 31] as string;
}
