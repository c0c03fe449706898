import type { Clock } from "@intermodal/core/ports";

/** How long what was learnt of the server's clock is used without hearing from it. */
const TRUSTED_MS = 10_000;
/** An answer that took longer than the last one by so much tells less. */
const SLOWER_MS = 20;

/** What the server's clock shows, as far as its latest answers tell. */
export class ServerClock {
  readonly #clock: Clock;
  /** The server's clock less ours, and when that was learnt. */
  #learnt: { readonly ahead: number; readonly at: number; readonly tookMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined` where it can't be told: nothing was heard for a while, or our own clock was set back. */
  now(): number | undefined {
    const now = this.#clock.now();
    const learnt = this.#learnt;
    if (learnt === undefined || now < learnt.at || now - learnt.at > TRUSTED_MS) return undefined;
    return Math.round(now + learnt.ahead);
  }

  /**
   * Notes an answer.
   * @param now What the server's clock showed when it answered.
   * @param askedAt When it was asked, by our clock: it answered between that and now.
   */
  learn(now: number, askedAt: number): void {
    const at = this.#clock.now();
    const tookMs = at - askedAt;
    const learnt = this.#learnt;
    const isLess = learnt !== undefined && tookMs > 2 * learnt.tookMs + SLOWER_MS;
    if (isLess && at >= learnt.at && at - learnt.at < TRUSTED_MS / 2) return;
    this.#learnt = { ahead: now - (askedAt + at) / 2, at, tookMs };
  }
}
