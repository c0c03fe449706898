import type { TaskEntry } from "./task-entry.ts";

/** Where a record stands in the order of lists. */
export interface TaskPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** Below this many stale entries it isn't worth clearing them out. */
const MIN_STALE = 16;

/**
 * Entries by creation. Joining appends and leaving counts, so that writes pay almost nothing; a reading sorts what has come since the last one, which is nearly
 * in order already.
 */
export class TaskIndex {
  readonly #belongs: (entry: TaskEntry) => boolean;
  #entries: TaskEntry[] = [];
  /** How many from the start are in order. */
  #sorted = 0;
  #live = 0;

  constructor(belongs: (entry: TaskEntry) => boolean) {
    this.#belongs = belongs;
  }

  /** How many belong here. */
  get size(): number {
    return this.#live;
  }

  add(entry: TaskEntry): void {
    this.#entries.push(entry);
    this.#live++;
  }

  /** Told after an entry has ceased to belong. */
  left(): void {
    this.#live--;
    if (this.#entries.length - this.#live > this.#live + MIN_STALE) this.#clearOut();
  }

  /** Newest first, beginning just below a position. */
  *newestFirst(below?: TaskPosition): Generator<TaskEntry, void, undefined> {
    this.#sort();
    const entries = this.#entries;
    let last: TaskEntry | undefined;
    for (let index = below === undefined ? entries.length : this.#countBelow(below); index > 0; index--) {
      const entry = entries[index - 1] as TaskEntry;
      // One that left and came back stands here twice until the next clearing.
      if (entry !== last && this.#belongs(entry)) yield entry;
      last = entry;
    }
  }

  /** In no particular order. */
  members(): TaskEntry[] {
    return [...new Set(this.#entries.filter(this.#belongs))];
  }

  #clearOut(): void {
    const kept = new Set<TaskEntry>();
    let sorted = 0;
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[index] as TaskEntry;
      if (this.#belongs(entry)) kept.add(entry);
      if (index < this.#sorted) sorted = kept.size;
    }
    this.#entries = [...kept];
    this.#sorted = sorted;
  }

  #sort(): void {
    if (this.#sorted === this.#entries.length) return;
    const fresh = this.#entries.slice(this.#sorted).sort(byCreation);
    const first = fresh[0] as TaskEntry;
    // Only the end of what is sorted can be newer than the oldest of the fresh ones.
    const untouched = this.#countBelow(first.record, this.#sorted);
    const overlap = this.#entries.slice(untouched, this.#sorted);
    const merged = overlap.length === 0 ? fresh : [...overlap, ...fresh].sort(byCreation);
    for (let index = 0; index < merged.length; index++) this.#entries[untouched + index] = merged[index] as TaskEntry;
    this.#sorted = this.#entries.length;
  }

  /** How many of the first `among`, which are in order, come before a position. */
  #countBelow(position: TaskPosition, among = this.#entries.length): number {
    let low = 0;
    let high = among;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare((this.#entries[middle] as TaskEntry).record, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function compare(a: TaskPosition, b: TaskPosition): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function byCreation(a: TaskEntry, b: TaskEntry): number {
  return compare(a.record, b.record);
}
