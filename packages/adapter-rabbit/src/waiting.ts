import type { IntermodalError } from "@intermodal/core/ports";
import type { Entry } from "./publication.ts";

/** What is taken from the front is cut off when it has become this much. */
const CUT = 1_024;

/** What is not written yet, in the order it came. */
export class Waiting {
  #list: Entry[] = [];
  #from = 0;

  get entries(): readonly Entry[] {
    return this.#from === 0 ? this.#list : this.#list.slice(this.#from);
  }

  push(entry: Entry): void {
    if (!entry.isSettled) this.#list.push(entry);
  }

  /** Before all others. */
  unshift(entries: readonly Entry[]): void {
    if (entries.length > 0) this.#set([...entries, ...this.entries]);
  }

  /** The next one whose sender still waits. */
  shift(): Entry | undefined {
    for (;;) {
      const entry = this.#list[this.#from];
      if (entry === undefined) {
        this.#set([]);
        return undefined;
      }
      if (++this.#from >= CUT) this.#set(this.#list.slice(this.#from));
      if (!entry.isSettled) return entry;
    }
  }

  /** Those that `which` names fail. */
  fail(failure: IntermodalError, which: (entry: Entry) => boolean): void {
    for (const entry of this.entries) if (which(entry)) entry.settle(failure);
    this.dropSettled();
  }

  dropSettled(): void {
    this.#set(this.entries.filter((entry) => !entry.isSettled));
  }

  #set(list: Entry[]): void {
    this.#list = list;
    this.#from = 0;
  }
}
