/** The last time that a date can hold. */
const LAST_DATE_MS = 8_640_000_000_000_000;

/** A time as it stands in a document: a date, or where a date can't hold it, the number. */
export type StoredTime = Date | number;

export function storeTime(ms: number): StoredTime;
export function storeTime(ms: number | undefined): StoredTime | undefined;
export function storeTime(ms: number | undefined): StoredTime | undefined {
  return ms !== undefined && Number.isInteger(ms) && Math.abs(ms) <= LAST_DATE_MS ? new Date(ms) : ms;
}

export function readTime(stored: StoredTime): number;
export function readTime(stored: StoredTime | undefined): number | undefined;
export function readTime(stored: StoredTime | undefined): number | undefined {
  return stored instanceof Date ? stored.getTime() : stored;
}
