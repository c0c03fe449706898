import { decodeCursor, encodeCursor } from "../adapter/cursor.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import { recover, recoveryReason } from "../lifecycle/transitions.ts";
import type { RecoverOptions, RecoverPage, RecoveryReason } from "../ports/task-state-store.ts";
import type { TaskEntry } from "./task-entry.ts";
import { hasExpired, type TaskTable } from "./task-table.ts";

/** Records looked at for one page, beyond which it ends short. */
const MAX_SCAN = 10_000;

/** The recovery sweep of one namespace: one node at a time, a page at a time. */
export class TaskSweep {
  readonly #table: TaskTable;
  #holder: { readonly node: string; readonly until: number } | undefined;
  /** Where the latest page ended, so that the next one need not look for the place. */
  #reached: TaskEntry | undefined;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  /** @throws `CURSOR_INVALID`. */
  page(options: RecoverOptions, now: number): RecoverPage | undefined {
    const { node, leaseMs, graceMs, limit, cursor } = options;
    if (this.#holder !== undefined && this.#holder.node !== node && this.#holder.until > now) return undefined;
    const { unsettled } = this.#table;
    // What joins while a sweep is under way is left to the next one.
    const [after, end] =
      cursor === undefined ? [0, unsettled.lastMark] : (decodeCursor(cursor, ["number", "number"]) as [number, number]);
    this.#holder = { node, until: now + leaseMs };
    const items: { readonly record: TaskRecord; readonly reason: RecoveryReason }[] = [];
    let entry = this.#following(after);
    for (let scanned = 0; entry !== undefined && entry.mark <= end; scanned++) {
      if (items.length >= limit || scanned === MAX_SCAN) {
        this.#reached = entry.previous;
        return { items, next: encodeCursor([entry.mark - 1, end]) };
      }
      const reason = hasExpired(entry.record, now) ? undefined : recoveryReason(entry.record, graceMs, now);
      if (reason !== undefined) {
        this.#table.write(entry, recover(entry.record, reason, now), now);
        items.push({ record: entry.record, reason });
      }
      entry = entry.next;
    }
    this.#reached = undefined;
    return { items };
  }

  #following(mark: number): TaskEntry | undefined {
    const { unsettled } = this.#table;
    const reached = this.#reached;
    let entry = reached?.list === unsettled && reached.mark <= mark ? reached : unsettled.first;
    while (entry !== undefined && entry.mark <= mark) entry = entry.next;
    return entry;
  }
}
