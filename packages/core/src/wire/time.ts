import { IntermodalError } from "../errors.ts";

// Messages come in bursts: the latest time is often the next one, too.
let writtenMs = Number.NaN;
let written = "";
let read = "";
let readMs = Number.NaN;

/** RFC 3339 in UTC. @throws `NOT_SERIALIZABLE` for what is not a time. */
export function writeTime(ms: number): string {
  if (ms !== writtenMs) {
    const date = new Date(ms);
    if (Number.isNaN(date.getTime())) {
      throw new IntermodalError("NOT_SERIALIZABLE", `${String(ms)} is not a time in milliseconds since the epoch`);
    }
    written = date.toISOString();
    writtenMs = ms;
  }
  return written;
}

const NO_OFFSET = /T[\d:.]+$/;

/** Milliseconds since the epoch, or NaN. A time without an offset is taken as UTC, wherever this runs. */
export function readTime(text: string): number {
  if (text !== read) {
    readMs = Date.parse(NO_OFFSET.test(text) ? `${text}Z` : text);
    read = text;
  }
  return readMs;
}
