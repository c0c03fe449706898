import { messageOf } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";

/** Logs once when readers begin to be turned away and once when they are served again, never per reader: each comes back every few seconds. */
export class ReaderLog {
  readonly #logger: Logger;
  #turnedAway = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  turnedAway(error: unknown): void {
    if (this.#turnedAway++ > 0) return;
    this.#logger.warn("the events of runs cannot be read: readers are turned away until they can be", {
      error: messageOf(error),
    });
  }

  served(): void {
    if (this.#turnedAway === 0) return;
    this.#logger.info("the events of runs can be read again", { turnedAway: this.#turnedAway });
    this.#turnedAway = 0;
  }
}
