/** What several users share, made by the first of them and given up by the last. */
export class Shared<Thing> {
  readonly #things = new Map<string, { readonly thing: Thing; users: number }>();

  /**
   * The thing under this key, made where there is none yet.
   * @returns it, with a function to let go of it once: true when nobody else uses it any more, so that the caller has to close it.
   */
  acquire(key: string, make: () => Thing): { readonly thing: Thing; readonly release: () => boolean } {
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
}
