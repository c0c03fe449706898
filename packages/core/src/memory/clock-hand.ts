/**
 * Goes round the values of a map a few at a time, so that what has expired leaves it in the course of ordinary use: no timer, no order to keep, and no
 * more than a bounded amount of work at once.
 */
export class ClockHand<Value> {
  readonly #map: ReadonlyMap<unknown, Value>;
  #values: Iterator<Value> | undefined;

  constructor(map: ReadonlyMap<unknown, Value>) {
    this.#map = map;
  }

  /** Shows `visit` the next few values, which it may remove. */
  turn(steps: number, visit: (value: Value) => void): void {
    for (let step = 0; step < steps; step++) {
      this.#values ??= this.#map.values();
      const { done, value } = this.#values.next();
      if (done) {
        this.#values = undefined;
        return;
      }
      visit(value);
    }
  }
}
