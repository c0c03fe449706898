/** A generation is closed when it is this full, whatever its age: what is remembered stays bounded, at the price of a shorter window under extreme load. */
const MAX_PER_GENERATION = 1_000_000;

/**
 * Recognises transport ids seen within a window. Ids are kept in two generations, and the older one is dropped as a whole: nothing is done per id that expires.
 */
export class RecentIds {
  readonly #windowMs: number;
  readonly #maxPerGeneration: number;
  #current = new Map<string, number>();
  #previous = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number, maxPerGeneration: number = MAX_PER_GENERATION) {
    this.#windowMs = windowMs;
    this.#maxPerGeneration = maxPerGeneration;
  }

  /** Notes an id. @returns whether it had been noted within the window before. */
  seen(id: string, now: number): boolean {
    if (now - this.#since >= this.#windowMs || this.#current.size >= this.#maxPerGeneration) this.#turnOver(now);
    const at = this.#current.get(id) ?? this.#previous.get(id);
    if (at !== undefined && now - at < this.#windowMs) return true;
    this.#current.set(id, now);
    return false;
  }

  #turnOver(now: number): void {
    this.#previous = this.#current;
    this.#current = new Map();
    this.#since = now;
  }
}
