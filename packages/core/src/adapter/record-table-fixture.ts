import type { IntermodalError } from "../errors.ts";
import type { TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import type { Change, Reading, RecordTable } from "./record-table.ts";

/** A store that compares and sets, in memory, for tests: what happens between a reading and its write can be told. */
export class FakeTable implements RecordTable {
  readonly records = new Map<string, TaskRecord>();
  /** What was asked of it: `read a`, `write a`. */
  readonly asked: string[] = [];
  time = 1_000_000;
  /** Known to clients, */
  tellsTime = true;
  /** so late. */
  behindMs = 0;
  /** Runs before the next write, once: as another process would get in between. */
  beforeWrite: (() => void) | undefined;
  /** The next writes take effect and then fail with these. */
  readonly lostAnswers: IntermodalError[] = [];
  /** What is refused for good. */
  refuses: (change: Change) => IntermodalError | undefined = () => undefined;
  /** For the sake of one it refuses all of a call, and tells of none which it was. */
  refusesWhole = false;

  now(): number | undefined {
    return this.tellsTime ? this.time - this.behindMs : undefined;
  }

  async read(ids: readonly string[]): Promise<readonly Reading[]> {
    this.asked.push(`read ${ids.join(" ")}`);
    return ids.map((id) => this.#reading(id));
  }

  async write(changes: readonly Change[]): Promise<readonly (Reading | IntermodalError | undefined)[]> {
    this.asked.push(`write ${changes.map(({ id }) => id).join(" ")}`);
    const getIn = this.beforeWrite;
    this.beforeWrite = undefined;
    getIn?.();
    const refusal = this.refusesWhole && changes.map((change) => this.refuses(change)).find((one) => one !== undefined);
    if (refusal) throw refusal;
    const results = changes.map((change) => this.#write(change));
    const lost = this.lostAnswers.shift();
    if (lost !== undefined) throw lost;
    return results;
  }

  async *run(rootId: string): AsyncIterable<readonly string[]> {
    yield [...this.records.values()].filter((record) => record.rootId === rootId).map(({ id }) => id);
  }

  #write(change: Change): Reading | IntermodalError | undefined {
    const { id, before, after, maxAgeMs } = change;
    const refusal = this.refuses(change);
    if (refusal !== undefined) return refusal;
    const there = this.#reading(id);
    if (there.version !== before.version || Math.abs(this.time - before.now) > maxAgeMs) return there;
    this.records.set(id, after);
    return undefined;
  }

  #reading(id: string): Reading {
    const record = this.records.get(id);
    return { record, version: record?.version ?? 0, now: this.time };
  }
}

export function draftOf(id: string, changes: Partial<TaskDraft> = {}): TaskDraft {
  return {
    id,
    type: "test.task",
    taskVersion: "1.0",
    queue: "default",
    input: { id },
    rootId: id,
    series: 1,
    streamId: id,
    createdAt: 1_000_000,
    retentionMs: 60_000,
    ...changes,
  };
}
