/**
 * A map that forgets what nobody has asked for in a while, at a constant cost: entries live in two generations, and the older one goes when the younger one is
 * full.
 */
export class Generations<Value> {
  readonly #size: number;
  readonly #keep: (value: Value) => boolean;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #kept = 0;

  /**
   * @param size how many entries a generation has, beside those that must not be forgotten.
   * @param keep says which entries must not be forgotten.
   */
  constructor(size: number, keep: (value: Value) => boolean) {
    this.#size = size;
    this.#keep = keep;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    this.#young.set(key, value);
    // The more there is to keep the longer it takes to look through it: so it is done the more rarely.
    if (this.#young.size < this.#size + 2 * this.#kept) return;
    const gone = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    for (const [kept, entry] of gone) {
      if (this.#keep(entry) && !this.#old.has(kept)) this.#young.set(kept, entry);
    }
    this.#kept = this.#young.size;
  }
}
