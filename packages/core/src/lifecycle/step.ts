import type { ChildState, TaskRecord } from "./record.ts";

/** A record after a step, and the step's answer. */
export interface Step<Outcome, Record = TaskRecord> {
  readonly record: Record;
  readonly outcome: Outcome;
}

/** A copy that a step still works on. */
export type Draft = { -readonly [Key in keyof TaskRecord]: TaskRecord[Key] };

export const NONE: readonly never[] = Object.freeze([]);
export const NO_CHILDREN: TaskRecord["children"] = Object.freeze({});

/** The record's next version, to be changed before anybody sees it. `updatedAt` stays: notes about messages and duties are no sign of life. */
export function nextVersion(record: TaskRecord): Draft {
  const next: Draft = { ...record };
  next.version = record.version + 1;
  return next;
}

/** The record's next version, touched now. */
export function touch(record: TaskRecord, now: number): Draft {
  const next = nextVersion(record);
  next.updatedAt = now;
  return next;
}

const PROTO = "__proto__";

/** The sub-tasks with one of them new or changed. */
export function withChild(children: TaskRecord["children"], key: string, child: ChildState): TaskRecord["children"] {
  const value = Object.freeze(child);
  if (key !== PROTO && !Object.hasOwn(children, PROTO)) {
    // With many sub-tasks a hundred times as fast as spreading and setting.
    return Object.assign({}, children, { [key]: value });
  }
  // Keys come from users: this one must be a key like any other.
  return Object.defineProperty({ ...children }, key, { value, enumerable: true, configurable: true, writable: true });
}

export function childOf(record: TaskRecord, key: string): ChildState | undefined {
  return Object.hasOwn(record.children, key) ? record.children[key] : undefined;
}
