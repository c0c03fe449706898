/**
 * Time as a parameter: everything that waits or stamps a time asks the clock it was given, so that delays, leases and expiry can run on a
 * virtual one.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs `run` once after `delayMs` milliseconds (at once, but never synchronously, for 0 or less). Never keeps the process alive.
   * @returns cancels it; harmless after it ran.
   */
  schedule(delayMs: number, run: () => void): () => void;
}

/** The machine's clock. Timers are unreferenced. */
export const systemClock: Clock = {
  now: Date.now,
  schedule(delayMs, run) {
    // setTimeout overflows past 2^31-1 ms and would fire at once: sleep in legs.
    if (delayMs > MAX_TIMER_MS) {
      let cancelLeg = this.schedule(MAX_TIMER_MS, () => {
        cancelLeg = this.schedule(delayMs - MAX_TIMER_MS, run);
      });
      return () => cancelLeg();
    }
    // Node warns of a negative delay.
    const timer: unknown = setTimeout(run, Math.max(0, delayMs));
    if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves after `delayMs` on this clock, or as soon as `signal` aborts (it never rejects: the caller looks at the signal). */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.schedule(delayMs, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
