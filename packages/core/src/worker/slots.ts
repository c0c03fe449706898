/** How many things may run at once in one queue of one worker. What resumes is served before what is new. */
export class Slots {
  #free: number;
  readonly #resuming: (() => void)[] = [];
  readonly #fresh: Set<() => void> = new Set();

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a slot now, if there is one. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Waits for a slot ahead of everything new. */
  resume(): Promise<void> {
    if (this.tryTake()) return Promise.resolve();
    return new Promise((resolve) => this.#resuming.push(resolve));
  }

  /** Calls `start` with a slot when there is one. @returns gives up waiting; false when `start` was called already. */
  whenFree(start: () => void): () => boolean {
    this.#fresh.add(start);
    return () => this.#fresh.delete(start);
  }

  release(): void {
    const resumed = this.#resuming.shift();
    if (resumed !== undefined) {
      resumed();
      return;
    }
    const [fresh] = this.#fresh;
    if (fresh === undefined) {
      this.#free++;
      return;
    }
    this.#fresh.delete(fresh);
    fresh();
  }
}
