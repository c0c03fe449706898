import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import { mayNeedRecovery } from "../lifecycle/transitions.ts";
import { ClockHand } from "./clock-hand.ts";
import { TaskChanges } from "./task-changes.ts";
import { EntryList, TaskEntry } from "./task-entry.ts";
import { TaskIndexes } from "./task-indexes.ts";

/** Entries looked at for expiry whenever one is added. */
const EXPIRY_STEPS = 2;

/** The task records of one namespace. A record is never changed, only replaced. */
export class TaskTable {
  readonly changes = new TaskChanges();
  readonly indexes = new TaskIndexes();
  /** What the sweep may want, in the order it came to need that. */
  readonly unsettled = new EntryList();
  /** Roots of finished runs that owe nothing, the one finished longest ago first. */
  readonly #finished = new EntryList();
  #finishedRecords = 0;
  readonly #maxFinished: number;
  readonly #entries = new Map<string, TaskEntry>();
  readonly #hand = new ClockHand(this.#entries);
  #now = 0;

  constructor(maxFinished: number) {
    this.#maxFinished = maxFinished;
  }

  /** The entry of an id, unless it has expired. */
  find(id: string, now: number): TaskEntry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || !hasExpired(entry.record, now)) return entry;
    this.#remove(entry);
    return undefined;
  }

  /** The entries of a run, the root among them. */
  run(rootId: string): TaskEntry[] {
    const root = this.#entries.get(rootId);
    const members = this.indexes.run(rootId)?.members() ?? [];
    return root === undefined || root.record.rootId !== rootId ? members : [root, ...members];
  }

  /** Writes what a step made of a record. */
  write(entry: TaskEntry | undefined, record: TaskRecord, now: number): void {
    if (entry?.record === record) return;
    const before = entry?.record;
    const current = entry !== undefined && !moves(entry.record, record) ? entry : this.#insert(entry, record, now);
    current.record = record;
    if (before === undefined || before.status !== record.status) {
      if (before !== undefined && current === entry) this.indexes.changeStatus(current, before.status);
      if (isTerminal(record.status)) this.changes.ended(record.id);
    }
    this.#place(current, record);
  }

  #insert(entry: TaskEntry | undefined, record: TaskRecord, now: number): TaskEntry {
    this.#now = now;
    this.#hand.turn(EXPIRY_STEPS, this.#expire);
    if (entry !== undefined) this.#remove(entry);
    const inserted = new TaskEntry(record);
    this.#entries.set(record.id, inserted);
    this.indexes.add(inserted);
    return inserted;
  }

  /** Puts an entry into the list where its record belongs now. */
  #place(entry: TaskEntry, record: TaskRecord): void {
    const list = mayNeedRecovery(record) ? this.unsettled : this.#outlives(record) ? this.#finished : undefined;
    if (list === entry.list) return;
    this.#unlist(entry);
    if (list === undefined) return;
    list.append(entry);
    if (list !== this.#finished) return;
    entry.runSize = 1 + (this.indexes.run(record.id)?.size ?? 0);
    this.#finishedRecords += entry.runSize;
    while (this.#finishedRecords > this.#maxFinished && this.#finished.first !== undefined) {
      this.#removeRun(this.#finished.first);
    }
  }

  /** Ended, and no root holds it: it is one, or its root is gone. */
  #outlives(record: TaskRecord): boolean {
    return isTerminal(record.status) && (record.rootId === record.id || !this.#entries.has(record.rootId));
  }

  #unlist(entry: TaskEntry): void {
    if (entry.list === this.#finished) this.#finishedRecords -= entry.runSize;
    entry.list?.remove(entry);
  }

  #removeRun(root: TaskEntry): void {
    if (root.record.rootId === root.record.id) {
      for (const member of this.indexes.run(root.record.id)?.members() ?? []) this.#remove(member);
    }
    this.#remove(root);
  }

  #remove(entry: TaskEntry): void {
    if (this.#entries.get(entry.record.id) === entry) this.#entries.delete(entry.record.id);
    this.#unlist(entry);
    entry.removed = true;
    this.indexes.remove(entry);
  }

  readonly #expire = (entry: TaskEntry): void => {
    if (hasExpired(entry.record, this.#now)) this.#remove(entry);
  };
}

export function hasExpired(record: TaskRecord, now: number): boolean {
  return record.expiresAt !== undefined && record.expiresAt <= now;
}

/** Whether a record changes its place in the indexes: a withdrawn id may come back as another submit. */
function moves(before: TaskRecord, after: TaskRecord): boolean {
  return (
    before.createdAt !== after.createdAt ||
    before.userId !== after.userId ||
    before.parentId !== after.parentId ||
    before.rootId !== after.rootId
  );
}
