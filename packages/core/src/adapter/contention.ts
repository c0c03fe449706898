import { type Clock, sleep } from "../ports/clock.ts";

/** How long is tried for a place that others take first, time after time. */
export const CONTENTION_PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Waits for a random time before trying again what others came first with. Afterwards look at what is there then: what was read before the pause has been changed since, or there would
 * have been no need of one.
 * @param times how many pauses it makes with this one: each may be twice as long as the one before.
 */
export function pauseForOthers(clock: Clock, times: number): Promise<void> {
  return sleep(clock, Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1)));
}
