import type { Clock } from "../ports/clock.ts";

/** How long the best answer so far is kept, and without any how long it is trusted. */
const WINDOW_MS = 10_000;

/**
 * What a server's clock shows, told from its answers. Of an answer it is known when it was seen, not when the server looked at its clock before; so what is told is never ahead of the
 * server's clock, and behind it by no more than the answer of the last ten seconds that was seen soonest.
 */
export class ServerClock {
  readonly #clock: Clock;
  /** The server's clock less ours at the least, and when that was learnt. */
  #best: { readonly ahead: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined` where it can't be told: nothing was heard for a while, or our own clock was set back. */
  now(): number | undefined {
    const now = this.#clock.now();
    const best = this.#best;
    if (best === undefined || now < best.at || now - best.at > WINDOW_MS) return undefined;
    return now + best.ahead;
  }

  /** Notes an answer that has just come. @param now What the server's clock showed, in whole milliseconds. */
  learn(now: number): void {
    const at = this.#clock.now();
    const ahead = now - at;
    const best = this.#best;
    if (best === undefined || at < best.at || at - best.at > WINDOW_MS || ahead >= best.ahead)
      this.#best = { ahead, at };
  }
}
