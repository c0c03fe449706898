import { IntermodalError } from "../errors.ts";
import type { DeadLetter, Page, PageOptions } from "../ports/delivery.ts";
import { Fifo } from "./fifo.ts";

interface Numbered extends DeadLetter {
  readonly number: number;
}

/** The dead letters of one queue or listener, in the order they were put aside. Beyond `max` the oldest are dropped and counted. */
export class DeadLetterBox {
  readonly #max: number;
  #letters = new Fifo<Numbered>();
  #lastNumber = 0;
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#letters.length;
  }

  /** How many were dropped so far because the box was full. */
  get dropped(): number {
    return this.#dropped;
  }

  add(letter: Omit<DeadLetter, "deadLetterId">): void {
    const number = ++this.#lastNumber;
    this.#letters.push({ ...letter, number, deadLetterId: String(number) });
    if (this.#letters.length <= this.#max) return;
    this.#letters.shift();
    this.#dropped++;
  }

  /** @throws `CURSOR_INVALID`. */
  list(options: PageOptions = {}): Page<DeadLetter> {
    const limit = Math.max(1, options.limit ?? 100);
    const start = options.cursor === undefined ? 0 : this.#positionAfter(options.cursor);
    const items: DeadLetter[] = [];
    for (let position = start; items.length < limit; position++) {
      const letter = this.#letters.at(position);
      if (letter === undefined) return { items };
      const { number: _, ...item } = letter;
      items.push(item);
    }
    const next = this.#letters.length > start + limit ? items.at(-1)?.deadLetterId : undefined;
    return next === undefined ? { items } : { items, next };
  }

  /** Removes letters. @returns those that were there. */
  take(deadLetterIds: readonly string[]): readonly DeadLetter[] {
    const wanted = new Set(deadLetterIds);
    const kept = new Fifo<Numbered>();
    const taken: DeadLetter[] = [];
    for (let letter = this.#letters.shift(); letter !== undefined; letter = this.#letters.shift()) {
      if (wanted.has(letter.deadLetterId)) taken.push(letter);
      else kept.push(letter);
    }
    this.#letters = kept;
    return taken;
  }

  /** Numbers only rise, so the first one beyond the cursor is found by halving. */
  #positionAfter(cursor: string): number {
    const after = Number(cursor);
    if (!Number.isSafeInteger(after)) {
      throw new IntermodalError(
        "CURSOR_INVALID",
        "the cursor is not one that a list of dead letters gave; start again without one",
      );
    }
    let low = 0;
    let high = this.#letters.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#letters.at(middle) as Numbered).number <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
