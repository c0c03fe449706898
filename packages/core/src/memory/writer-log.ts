/** A stretch of one writer's events that stand one after the other in the stream. */
interface Stretch {
  readonly n: number;
  readonly sequence: number;
  length: number;
}

const NONE: Stretch[] = [];

/** Stretches beyond which those that the stream no longer keeps are let go. */
const MIN_STRETCHES = 64;

/** Which of a writer's events a stream has, so that each is stored once and a repeated append gets its first answer. */
export class WriterLog {
  readonly writer: string;
  /** By `n`. */
  #stretches: Stretch[] = NONE;
  #clearAt = MIN_STRETCHES;
  /** Of events up to this number the sequences are no longer known. */
  #forgotten = 0;
  #lastSequence = 0;

  constructor(writer: string) {
    this.writer = writer;
  }

  /** The highest sequence that it wrote. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** @returns its sequence; 0 when it was stored so long ago that this is no longer known; `undefined` when it is new. */
  find(n: number): number | undefined {
    const stretch = this.#stretches[this.#indexAt(n)];
    if (stretch !== undefined && n < stretch.n + stretch.length) return stretch.sequence + (n - stretch.n);
    return n <= this.#forgotten ? 0 : undefined;
  }

  add(n: number, sequence: number, firstKept: number): void {
    this.#lastSequence = sequence;
    const index = this.#indexAt(n);
    const stretch = this.#stretches[index];
    if (stretch?.n === n - (stretch?.length ?? 0) && stretch.sequence + stretch.length === sequence) {
      stretch.length++;
      return;
    }
    const added = { n, sequence, length: 1 };
    // Most writers never have more than one stretch: an array that is made with it holds no room for others.
    if (this.#stretches.length === 0) this.#stretches = [added];
    else this.#stretches.splice(index + 1, 0, added);
    if (this.#stretches.length > this.#clearAt) this.#clearOut(firstKept);
  }

  /** The last stretch that begins at or before `n`; -1 when there is none. Writers append in order: it is nearly always the last. */
  #indexAt(n: number): number {
    let index = this.#stretches.length - 1;
    while (index >= 0 && (this.#stretches[index] as Stretch).n > n) index--;
    return index;
  }

  #clearOut(firstKept: number): void {
    this.#stretches = this.#stretches.filter((stretch) => {
      const isKept = stretch.sequence + stretch.length > firstKept;
      if (!isKept) this.#forgotten = Math.max(this.#forgotten, stretch.n + stretch.length - 1);
      return isKept;
    });
    this.#clearAt = 2 * this.#stretches.length + MIN_STRETCHES;
  }
}
