/**
 * So many messages pass each way before the event loop gets a turn. Everything here is promises, which could otherwise go on for ever: a busy sender would
 * keep its own process's workers from their work, and busy workers all the rest.
 */
export const MESSAGES_PER_TURN = 256;

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
    if (this.#used < MESSAGES_PER_TURN) {
      this.#used += count;
      return undefined;
    }
    this.#turn ??= new Promise((resolve) => {
      inNextTurn(() => {
        this.#used = 0;
        this.#turn = undefined;
        resolve();
      });
    });
    return this.#turn.then(() => this.admit(count));
  }
}
