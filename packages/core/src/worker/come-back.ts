import type { Settlement } from "../ports/delivery.ts";

/** While a store is away a message comes back after this. */
export const STORE_AWAY_DELAY_MS = 1_000;

/** Messages sent back at the same time shall not return at the same time. */
const SPREAD = 0.1;

/** The message was not handled, and no try is counted: deliver it again a little after `delayMs`. */
export function comeBack(delayMs: number): Settlement {
  return { kind: "retry", delayMs: Math.ceil(delayMs * (1 + Math.random() * SPREAD)), counted: false };
}

export const HAND_BACK: Settlement = { kind: "retry", delayMs: 0, counted: false };
