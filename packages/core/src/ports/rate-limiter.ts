/** Permits for calls to limited services: at most `permits` in any `perMs` milliseconds for each key, over all processes that share the store. */
export interface RateLimit {
  readonly permits: number;
  readonly perMs: number;
}

/** Gives out permits, over all processes that share the store. Keys are any text, kept apart by namespace. */
export interface RateLimiter {
  /**
   * Takes a permit if there is one now. Of several limits of one key each sees all that was given out, as long as it is asked for at least once in its window.
   * @returns 0 when taken, else the milliseconds after which to ask again (nothing was taken).
   */
  tryAcquire(key: string, limit: RateLimit): Promise<number>;
}
