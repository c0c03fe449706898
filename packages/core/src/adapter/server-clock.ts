import type { Clock } from "../ports/clock.ts";

/** How long the best answer so far is kept, and without any how long it is trusted. */
const WINDOW_MS = 10_000;

/**
 * What a server's clock shows, told from its answers. Of an answer it is known when it was asked for, not when the server looked at its clock; so what is told is never behind the server's
 * clock, and ahead of it by no more than the quickest answer of the last ten seconds took. A delay that is counted from it is not too short.
 */
export class ServerClock {
  readonly #clock: Clock;
  /** The server's clock less ours at the most, and when that was learnt. */
  #best: { readonly ahead: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined` where it can't be told: nothing was heard for a while, or our own clock was set. */
  now(): number | undefined {
    const now = this.#clock.now();
    const best = this.#best;
    if (best === undefined || now < best.at || now - best.at > WINDOW_MS) return undefined;
    return Math.ceil(now + best.ahead);
  }

  /**
   * Notes an answer.
   * @param now What the server's clock showed, in whole milliseconds.
   * @param askedAt When it was asked, by our clock.
   */
  learn(now: number, askedAt: number): void {
    // Whole milliseconds: the server's clock may have shown nearly one more.
    const ahead = now + 1 - askedAt;
    const at = this.#clock.now();
    const best = this.#best;
    if (best === undefined || at < best.at || at - best.at > WINDOW_MS || ahead <= best.ahead)
      this.#best = { ahead, at };
  }
}
