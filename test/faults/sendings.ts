import { type IntermodalError, isIntermodalError } from "@intermodal/core";

/** Sendings that are under way at the same time, and what came of each. */
export class Sendings {
  /** Resolved: these must arrive. */
  readonly taken: number[] = [];
  /** Rejected without `unknown`: these must not. */
  readonly refused: number[] = [];
  readonly errors: IntermodalError[] = [];
  longestMs = 0;
  lastMs = 0;
  readonly #send: (n: number) => Promise<void>;
  readonly #all: Promise<void>[] = [];

  constructor(send: (n: number) => Promise<void>) {
    this.#send = send;
  }

  begin(n: number): void {
    this.#all.push(this.#follow(n));
  }

  /** Resolves when each has been answered. @throws what is no error of the SDK. */
  async over(): Promise<void> {
    await Promise.all(this.#all);
  }

  async #follow(n: number): Promise<void> {
    const begun = performance.now();
    try {
      await this.#send(n);
      this.taken.push(n);
    } catch (error) {
      if (!isIntermodalError(error)) throw error;
      this.errors.push(error);
      if (!error.unknown) this.refused.push(n);
    }
    this.lastMs = performance.now() - begun;
    this.longestMs = Math.max(this.longestMs, this.lastMs);
  }
}
