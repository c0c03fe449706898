import { decodeFailed, type UnknownObject } from "./bytes.ts";
import { readTime } from "./time.ts";

/** An object that came from elsewhere. Nothing in it can be relied on: each reader takes what it knows, or says what is wrong with it. */
export interface Unread {
  /** What it is to be, for messages: `command` or `event`. */
  readonly kind: string;
  readonly fields: UnknownObject;
}

/** @throws `DECODE_FAILED` unless it is a text of at least one character. */
export function text(from: Unread, name: string): string {
  const value = from.fields[name];
  if (typeof value === "string" && value !== "") return value;
  throw wrong(from, name, "a text");
}

/** @throws `DECODE_FAILED` unless it is a text, absent or null. */
export function optionalText(from: Unread, name: string): string | undefined {
  const value = from.fields[name];
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  throw wrong(from, name, "a text");
}

/** @throws `DECODE_FAILED` unless it is a whole number from 0. */
export function count(from: Unread, name: string): number {
  const value = from.fields[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(from, name, "a whole number");
}

/** @throws `DECODE_FAILED` unless it is a whole number from 0, absent or null. */
export function optionalCount(from: Unread, name: string): number | undefined {
  return isAbsent(from, name) ? undefined : count(from, name);
}

/** Milliseconds since the epoch. @throws `DECODE_FAILED` unless it is a time in RFC 3339. */
export function time(from: Unread, name: string): number {
  const value = from.fields[name];
  const ms = typeof value === "string" ? readTime(value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw wrong(from, name, "a time such as 2025-01-31T12:00:00Z");
}

/** @throws `DECODE_FAILED` unless it is a time, absent or null. */
export function optionalTime(from: Unread, name: string): number | undefined {
  return isAbsent(from, name) ? undefined : time(from, name);
}

/** @throws `DECODE_FAILED` unless it is milliseconds written as a text. */
export function duration(from: Unread, name: string): number {
  const value = from.fields[name];
  const ms = typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw wrong(from, name, "milliseconds written as a text");
}

function isAbsent(from: Unread, name: string): boolean {
  const value = from.fields[name];
  return value === undefined || value === null;
}

export function wrong(from: Unread, name: string, wanted: string): Error {
  return decodeFailed(from.kind, `"${name}" must be ${wanted}`);
}
