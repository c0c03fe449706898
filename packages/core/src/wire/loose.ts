/**
 * Reads the metadata of plain dictionaries, whose publishers follow no specification: what cannot be understood counts as not said.
 */
import { readTime } from "./time.ts";

/** Numbers below this are seconds: as milliseconds they would be of 1973 and before. */
const FIRST_MILLISECONDS = 100_000_000_000;

export function textOr<Otherwise>(value: unknown, otherwise: Otherwise): string | Otherwise {
  return typeof value === "string" ? value : otherwise;
}

/** A text, or a number as one. */
export function looseText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return textOr(value, undefined);
}

/** A number loses the zero of `1.0` on its way through JSON. */
export function looseVersion(value: unknown): string | undefined {
  if (typeof value !== "number") return textOr(value, undefined);
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Milliseconds since the epoch, of an ISO text or of seconds or milliseconds since the epoch. */
export function looseTime(value: unknown): number | undefined {
  if (typeof value === "number")
    return Math.abs(value) < FIRST_MILLISECONDS ? Math.round(value * 1_000) : Math.round(value);
  if (typeof value !== "string") return undefined;
  const ms = readTime(value);
  return Number.isNaN(ms) ? undefined : ms;
}
