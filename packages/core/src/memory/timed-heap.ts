/** One thing in a {@link TimedHeap}. */
export interface Timed<T> {
  readonly dueAt: number;
  readonly item: T;
  /** Equal times leave in the order they came. */
  readonly order: number;
  /** Where it stands; -1 once it has left. */
  index: number;
}

/** Things by the time they fall due: O(log n) to add, take and remove. */
export class TimedHeap<T> {
  readonly #heap: Timed<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest due time; `undefined` when empty. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.dueAt;
  }

  add(dueAt: number, item: T): Timed<T> {
    const timed: Timed<T> = { dueAt, item, order: this.#order++, index: this.#heap.length };
    this.#heap.push(timed);
    this.#rise(timed);
    return timed;
  }

  /** Takes the earliest thing that is due at `now`. */
  takeDue(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueAt > now) return undefined;
    this.remove(first);
    return first.item;
  }

  /** Harmless for what has left already. */
  remove(timed: Timed<T>): void {
    const index = timed.index;
    if (index < 0) return;
    timed.index = -1;
    const last = this.#heap.pop() as Timed<T>;
    if (last === timed) return;
    this.#place(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  clear(): void {
    for (const timed of this.#heap) timed.index = -1;
    this.#heap.length = 0;
  }

  #rise(timed: Timed<T>): void {
    let index = timed.index;
    while (index > 0) {
      const parent = this.#heap[(index - 1) >> 1] as Timed<T>;
      if (!before(timed, parent)) break;
      const above = parent.index;
      this.#place(parent, index);
      index = above;
    }
    this.#place(timed, index);
  }

  #sink(timed: Timed<T>): void {
    const heap = this.#heap;
    let index = timed.index;
    for (;;) {
      const left = heap[2 * index + 1];
      if (left === undefined) break;
      const right = heap[2 * index + 2];
      const child = right !== undefined && before(right, left) ? right : left;
      if (!before(child, timed)) break;
      const below = child.index;
      this.#place(child, index);
      index = below;
    }
    this.#place(timed, index);
  }

  #place(timed: Timed<T>, index: number): void {
    timed.index = index;
    this.#heap[index] = timed;
  }
}

function before(a: Timed<unknown>, b: Timed<unknown>): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
