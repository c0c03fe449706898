import type { TaskRecord } from "../lifecycle/record.ts";

/** A task's place in the store: the record changes, the entry stays. */
export class TaskEntry {
  record: TaskRecord;
  /** Indexes let go of a removed entry later. */
  removed = false;
  /** How many records leave with this one, where it is the root of a finished run. */
  runSize = 0;
  list: EntryList | undefined = undefined;
  previous: TaskEntry | undefined = undefined;
  next: TaskEntry | undefined = undefined;
  /** Rises along its list. */
  mark = 0;

  constructor(record: TaskRecord) {
    this.record = record;
  }
}

/** Entries in the order they joined. An entry is in one list at a time and holds its own links, so joining and leaving cost next to nothing. */
export class EntryList {
  #first: TaskEntry | undefined;
  #last: TaskEntry | undefined;
  #marks = 0;

  get first(): TaskEntry | undefined {
    return this.#first;
  }

  /** The highest mark given out so far. */
  get lastMark(): number {
    return this.#marks;
  }

  append(entry: TaskEntry): void {
    entry.list = this;
    entry.mark = ++this.#marks;
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
  }

  remove(entry: TaskEntry): void {
    const { previous, next } = entry;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    entry.list = undefined;
    entry.previous = undefined;
    entry.next = undefined;
  }
}
