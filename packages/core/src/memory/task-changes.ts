type Listener = (ids: readonly string[]) => void;

/** Tells who listens which tasks have ended, gathered over the turn in which they did. */
export class TaskChanges {
  readonly #listeners = new Set<Listener>();
  #ended: string[] = [];
  readonly #tell = () => {
    const ids = this.#ended;
    this.#ended = [];
    for (const listener of [...this.#listeners]) listener(ids);
  };

  /** @returns stops it. */
  listen(listener: Listener): () => void {
    // A function listened with twice is two listeners.
    const own: Listener = (ids) => listener(ids);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  ended(id: string): void {
    if (this.#listeners.size === 0) return;
    if (this.#ended.push(id) === 1) queueMicrotask(this.#tell);
  }
}
