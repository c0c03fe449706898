/** First in, first out, in a ring that grows: O(1) at both ends and by position. */
export class Fifo<T> {
  #ring: (T | undefined)[] = new Array(16);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  /** The item at a position from the front. */
  at(position: number): T | undefined {
    return position < this.#length ? this.#ring[(this.#head + position) & (this.#ring.length - 1)] : undefined;
  }

  clear(): void {
    this.#ring = new Array(16);
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const size = this.#ring.length;
    const ring = this.#ring.slice(this.#head).concat(this.#ring.slice(0, this.#head));
    ring.length = size * 2;
    this.#ring = ring;
    this.#head = 0;
  }
}
