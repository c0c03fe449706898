/** The last time that a date can hold. */
const LAST_DATE_MS = 8_640_000_000_000_000;

/**
 * A time as it stands in a document: a date, since the server compares and removes by dates only, or where a date can't hold it, the number. A part of a millisecond is made a whole
 * one: nothing is due too early.
 */
export type StoredTime = Date | number;

export function storeTime(ms: number): StoredTime;
export function storeTime(ms: number | undefined): StoredTime | undefined;
export function storeTime(ms: number | undefined): StoredTime | undefined {
  return ms !== undefined && Math.abs(ms) <= LAST_DATE_MS ? new Date(Math.ceil(ms)) : ms;
}

export function readTime(stored: StoredTime): number;
export function readTime(stored: StoredTime | undefined): number | undefined;
export function readTime(stored: StoredTime | undefined): number | undefined {
  return stored instanceof Date ? stored.getTime() : stored;
}

/** The date to compare stored times with: with a number the server finds none of them. */
export function boundOf(ms: number): Date {
  return new Date(Math.min(Math.max(Math.ceil(ms), -LAST_DATE_MS), LAST_DATE_MS));
}
