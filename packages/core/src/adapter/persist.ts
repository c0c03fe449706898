import { isIntermodalError } from "../errors.ts";
import { type Clock, sleep } from "../ports/clock.ts";

export interface PersistOptions {
  readonly clock: Clock;
  /** Ends it: the last failure is thrown. */
  readonly signal: AbortSignal;
  /** Told of each failure that will be tried again, with how many there were. */
  readonly onFailure?: ((error: unknown, failures: number) => void) | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Tries until it works, with pauses that grow to 2 s.
 * @throws what trying again cannot cure (every error of the SDK but `UNAVAILABLE`), and the last failure once `signal` aborts.
 */
export async function persist<T>(attempt: () => Promise<T>, { clock, signal, onFailure }: PersistOptions): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || (isIntermodalError(error) && error.code !== "UNAVAILABLE")) throw error;
      onFailure?.(error, failures);
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
      await sleep(clock, pauseMs * (0.75 + Math.random() / 2), signal);
      if (signal.aborted) throw error;
    }
  }
}
