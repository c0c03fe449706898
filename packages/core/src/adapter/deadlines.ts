import { IntermodalError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";

interface Outstanding {
  readonly what: string;
  due: number;
  readonly reject: (error: Error) => void;
}

const SWEEP_MS = 100;

/** Bounds how long calls wait: all for the same time, so that one timer does for all of them. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #unknown: boolean;
  readonly #outstanding = new Set<Outstanding>();
  #sweeping = false;

  /** @param unknown Whether what takes too long may have happened. */
  constructor(clock: Clock, timeoutMs: number, unknown: boolean) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#unknown = unknown;
  }

  /** Settles as `answer` does. @throws `UNAVAILABLE` when that takes too long. */
  bound<T>(what: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const outstanding = { what, due: this.#clock.now() + this.#timeoutMs, reject };
      this.#outstanding.add(outstanding);
      if (!this.#sweeping) this.#sweepLater();
      answer.then(
        (value) => {
          this.#outstanding.delete(outstanding);
          resolve(value);
        },
        (error: unknown) => {
          this.#outstanding.delete(outstanding);
          reject(error as Error);
        },
      );
    });
  }

  #sweepLater(): void {
    this.#sweeping = true;
    this.#clock.schedule(SWEEP_MS, () => {
      this.#sweeping = false;
      const now = this.#clock.now();
      for (const outstanding of this.#outstanding) {
        // Not later, should the clock have been set back meanwhile.
        outstanding.due = Math.min(outstanding.due, now + this.#timeoutMs);
        if (outstanding.due > now) continue;
        this.#outstanding.delete(outstanding);
        const { what, reject } = outstanding;
        const message = `${what}: the server did not answer within ${this.#timeoutMs} ms`;
        reject(new IntermodalError("UNAVAILABLE", message, { unknown: this.#unknown }));
      }
      if (this.#outstanding.size > 0) this.#sweepLater();
    });
  }
}
