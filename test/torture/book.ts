import type { Entry } from "./ledger.ts";

/** One completed handling of a message. */
export interface Handling {
  /** Number of the process, unique in the run. */
  readonly process: number;
  readonly at: number;
}

/** What the producer noted. */
export class Sendings {
  readonly acknowledged = new Set<number>();
  /** Messages that were sent again although the broker may have had them: their answer was lost. */
  readonly unknown = new Set<number>();
  refusals = 0;

  add({ note, index }: Entry): void {
    if (note === "acknowledged") this.acknowledged.add(index);
    else if (note === "unknown") this.unknown.add(index);
    else this.refusals++;
  }
}

/** What the processes of one group noted. */
export class Handlings {
  readonly byIndex = new Map<number, Handling[]>();
  failures = 0;

  add(entry: Entry, process: number): void {
    if (entry.note === "failed") {
      this.failures++;
      return;
    }
    const handling = { process, at: entry.at };
    const earlier = this.byIndex.get(entry.index);
    if (earlier === undefined) this.byIndex.set(entry.index, [handling]);
    else earlier.push(handling);
  }
}
