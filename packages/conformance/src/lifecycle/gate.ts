/** Holds back whoever passes until it is opened. */
export class Gate {
  /** How many have come to it. */
  came = 0;
  readonly #opened = Promise.withResolvers<void>();

  pass(): Promise<void> {
    this.came++;
    return this.#opened.promise;
  }

  open(): void {
    this.#opened.resolve();
  }
}
