import type { RateLimit } from "../ports/rate-limiter.ts";
import { ClockHand } from "./clock-hand.ts";

/** Keys looked at for expiry per request. */
const EXPIRY_STEPS = 2;

/** The permits given out lately, by key. A key is forgotten once all of its permits are past their window. */
export class RateTable {
  readonly #logs = new Map<string, PermitLog>();
  readonly #hand = new ClockHand(this.#logs);

  get size(): number {
    return this.#logs.size;
  }

  /** @returns 0 when a permit was taken, else the milliseconds until there may be one. */
  tryAcquire(key: string, limit: RateLimit, now: number): number {
    let log = this.#logs.get(key);
    if (log === undefined) {
      log = new PermitLog(key);
      this.#logs.set(key, log);
    }
    const wait = log.tryTake(limit, now);
    this.#hand.turn(EXPIRY_STEPS, (other) => {
      if (other.isIdle(now)) this.#logs.delete(other.key);
    });
    return wait;
  }
}

/**
 * When permits were given out, so that no window of any position holds more than its number (counting by fixed windows would let through twice as
 * many around a boundary). Permits of one millisecond share an entry: there are never more entries than permits, nor than milliseconds.
 */
class PermitLog {
  readonly key: string;
  readonly #given: { readonly at: number; count: number }[] = [];
  #total = 0;
  /** The longest window that was asked for since then, and the longest in the turn before. */
  #longestMs = 0;
  #formerMs = 0;
  #since = Number.NEGATIVE_INFINITY;

  constructor(key: string) {
    this.key = key;
  }

  isIdle(now: number): boolean {
    this.#setBack(now);
    return (this.#given.at(-1)?.at ?? Number.NEGATIVE_INFINITY) + this.#reachMs <= now;
  }

  tryTake({ permits, perMs }: RateLimit, now: number): number {
    this.#setBack(now);
    this.#ask(perMs, now);
    this.#forget(now);
    if (this.#total >= permits) {
      const wait = this.#waitFor(permits, perMs, now);
      if (wait > 0) return wait;
    }
    this.#give(now, 1);
    return 0;
  }

  /** From the latest back: the permit that used up the last one frees one when it leaves the window. */
  #waitFor(permits: number, perMs: number, now: number): number {
    let free = permits;
    for (let index = this.#given.length - 1; index >= 0 && free > 0; index--) {
      const { at, count } = this.#given[index] as { at: number; count: number };
      if (at + perMs <= now) return 0;
      free -= count;
      if (free < 1) return at + perMs - now;
    }
    return free < 1 ? perMs : 0;
  }

  #give(now: number, count: number): void {
    const latest = this.#given.at(-1);
    if (latest?.at === now) latest.count += count;
    else this.#given.push({ at: now, count });
    this.#total += count;
  }

  /** Where the clock was set back, what was given out later counts as given out now: nobody gets too many, and nobody waits until the clock has caught up. */
  #setBack(now: number): void {
    this.#since = Math.min(this.#since, now);
    let later = 0;
    for (let latest = this.#given.at(-1); latest !== undefined && latest.at > now; latest = this.#given.at(-1)) {
      this.#given.pop();
      later += latest.count;
    }
    if (later === 0) return;
    this.#total -= later;
    this.#give(now, later);
  }

  /** How far back those can see that have asked lately. */
  get #reachMs(): number {
    return Math.max(this.#longestMs, this.#formerMs);
  }

  /** Turns last as long as the longest window in sight: so one that is asked for no more is let go after two at the latest, and none before it has passed. */
  #ask(perMs: number, now: number): void {
    if (this.#since + this.#reachMs <= now) {
      this.#formerMs = this.#longestMs;
      this.#longestMs = 0;
      this.#since = now;
    }
    this.#longestMs = Math.max(this.#longestMs, perMs);
  }

  #forget(now: number): void {
    let gone = 0;
    for (const { at, count } of this.#given) {
      if (at + this.#reachMs > now) break;
      this.#total -= count;
      gone++;
    }
    if (gone > 0) this.#given.splice(0, gone);
  }
}
