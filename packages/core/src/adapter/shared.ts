/** What several users share, made by the first of them and given up by the last. */
export class Shared<Thing> {
  readonly #things = new Map<string, { readonly thing: Thing; users: number }>();
  readonly #numbers = new WeakMap<object, number>();
  #last = 0;

  /**
   * The thing that these name together, made where there is none yet. Texts name by what they say, objects by which they are.
   * @returns it, with a function to let go of it once: true when nobody else uses it any more, so that the caller has to close it.
   */
  acquire(
    names: readonly (string | object)[],
    make: () => Thing,
  ): { readonly thing: Thing; readonly release: () => boolean } {
    const key = JSON.stringify(names.map((name) => (typeof name === "string" ? name : this.#numberOf(name))));
    const found = this.#things.get(key) ?? { thing: make(), users: 0 };
    found.users++;
    this.#things.set(key, found);
    let released = false;
    const release = () => {
      if (released) return false;
      released = true;
      if (--found.users > 0) return false;
      if (this.#things.get(key) === found) this.#things.delete(key);
      return true;
    };
    return { thing: found.thing, release };
  }

  #numberOf(object: object): number {
    const number = this.#numbers.get(object) ?? ++this.#last;
    this.#numbers.set(object, number);
    return number;
  }
}
