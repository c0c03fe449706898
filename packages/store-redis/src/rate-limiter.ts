import type { RateLimit, RateLimiter } from "@intermodal/core/ports";
import { rateAcquire } from "./lua/rate-acquire.ts";
import type { Session } from "./session.ts";

/** A server counts in 64 bits, and adds this to its time. */
const LONGEST_MS = 2 ** 52;
const MOST_PERMITS = 2 ** 31;

/**
 * Exact permits by the server's clock: never more than `permits` in any window of `perMs`, wherever it begins. It keeps an entry for each permit of the longest window that was
 * asked for lately.
 */
export class RedisRateLimiter implements RateLimiter {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A permit that was taken stays taken when the answer is lost. @throws `UNAVAILABLE`, `CLOSED`. */
  async tryAcquire(key: string, { permits, perMs }: RateLimit): Promise<number> {
    const args = [Math.min(Math.floor(permits), MOST_PERMITS), Math.min(Math.ceil(perMs), LONGEST_MS)];
    return (await this.#session.script(
      "tryAcquire",
      rateAcquire,
      [this.#session.names.alone("rate", key)],
      args,
    )) as number;
  }
}
