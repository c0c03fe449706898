/**
 * So many deliveries are handed over before the event loop gets a turn. Everything here is promises, which could otherwise go on for ever: busy workers would keep
 * the rest of the process from its work, and a busy sender its own process's workers.
 */
export const DELIVERIES_PER_TURN = 512;

/** Fewer than {@link DELIVERIES_PER_TURN}, so that workers in the same process catch up with a sender that never pauses. */
const SENDS_PER_TURN = 256;

/** Runs something after the rest of the process had a turn. */
export function inNextTurn(run: () => void): void {
  if (typeof setImmediate === "function") setImmediate(run);
  else setTimeout(run, 0);
}

/** Holds up senders who have used up this turn of the event loop. */
export class Pace {
  #used = 0;
  #turn: Promise<void> | undefined;

  /** @returns when `count` more may be sent; `undefined`: at once. */
  admit(count: number): Promise<void> | undefined {
    if (this.#used < SENDS_PER_TURN) {
      this.#used += count;
      return undefined;
    }
    this.#turn ??= new Promise((resolve) => {
      inNextTurn(() => {
        this.#used -= SENDS_PER_TURN;
        this.#turn = undefined;
        resolve();
      });
    });
    return this.#turn.then(() => this.admit(count));
  }
}
