import { assert } from "../assert.ts";

/** How late a delay may end: 20 % + 1 s. */
export function latest(delayMs: number): number {
  return delayMs * 1.2 + 1_000;
}

/** Redelivery after the death of a holder takes at most this long. */
export const REDELIVERY_MS = 15_000;

/** For what needs no waiting at all: generous, since a busy machine is no broken promise. */
export const SOON_MS = 5_000;

/** Two machines' clocks, or one clock read in two places, may differ by this much without anything being early. */
const TOLERANCE_MS = 5;

export function assertNotEarly(what: string, actualMs: number, delayMs: number): void {
  assert(actualMs >= delayMs - TOLERANCE_MS, `${what} came after ${actualMs} ms, earlier than ${delayMs} ms`);
}

/** Never early, late by at most 20 % + 1 s. */
export function assertDelayed(what: string, actualMs: number, delayMs: number): void {
  assertNotEarly(what, actualMs, delayMs);
  assert(actualMs <= latest(delayMs), `${what} came after ${actualMs} ms, later than ${latest(delayMs)} ms`);
}
