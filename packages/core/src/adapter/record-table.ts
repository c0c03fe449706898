import type { IntermodalError } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";

/** What a store holds under one id, and when it said so. */
export interface Reading {
  /** `undefined` where there is none, or only one that has expired. */
  readonly record: TaskRecord | undefined;
  /** Of what is there, expired or not; 0 where nothing is. */
  readonly version: number;
  /** The store's clock when it was read, in milliseconds since the epoch. */
  readonly now: number;
}

/** A record as steps have made it of what a store held. */
export interface Change {
  readonly id: string;
  /** What the steps began with. */
  readonly before: Reading;
  readonly after: TaskRecord;
  /** How far the store's clock may have moved on (or back) since `before.now` when it is written; past this the steps are taken again. */
  readonly maxAgeMs: number;
}

/**
 * Task records of one namespace in a store that compares and sets: a step is computed here, from a reading, and takes effect in one atomic write if what was read is still
 * there.
 */
export interface RecordTable {
  /** What the store's clock says now, as far as that can be told from its latest answers: not ahead of it, a little behind at the most; `undefined` where it can't. */
  now(): number | undefined;
  /** In the order of the ids. @throws `UNAVAILABLE`, `CLOSED`. */
  read(ids: readonly string[]): Promise<readonly Reading[]>;
  /**
   * Writes each change, with everything by which the record is found, in one atomic step: if the version there is still the one it began with and the store's clock is within
   * `maxAgeMs` of `before.now`. A store that cannot compare its clock where nothing was there holds such a change against what is known of that clock just before it is sent. No two changes of a call have the same id.
   * @returns for each change in order: `undefined` when it was written, what is there instead, or why it cannot be written. @throws `UNAVAILABLE`, with `unknown` set where some may
   * have been written.
   */
  write(changes: readonly Change[]): Promise<readonly (Reading | IntermodalError | undefined)[]>;
  /** The ids of a run's records, the root among them, in parts. */
  run(rootId: string): AsyncIterable<readonly string[]>;
}
