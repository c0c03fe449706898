import { answersOf, type Tried, tryEach } from "../adapter/each.ts";
import { takePayload } from "../adapter/payload.ts";
import { snapshotOf } from "../adapter/snapshot.ts";
import type { TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import * as transitions from "../lifecycle/transitions.ts";
import type { Page } from "../ports/delivery.ts";
import type { JsonValue } from "../ports/json.ts";
import type {
  ChildEnd,
  Claim,
  ClaimOutcome,
  CreateOutcome,
  RecoverOptions,
  RecoverPage,
  Renewal,
  RenewOutcome,
  Reopen,
  ReopenChild,
  Reservation,
  ReserveOutcome,
  SendMark,
  Settle,
  SettleOutcome,
  TaskQuery,
  TaskStateStore,
  TaskStateStoreCapabilities,
} from "../ports/task-state-store.ts";
import type { MemoryConnection } from "./connection.ts";
import type { Store } from "./store.ts";
import { queryTasks } from "./task-query.ts";
import type { TaskSweep } from "./task-sweep.ts";
import type { TaskTable } from "./task-table.ts";

type SubmittedDraft = TaskDraft & { readonly tombstone?: boolean };
type DutiesDone = Parameters<TaskStateStore["dutiesDone"]>[0][number];

/**
 * Tasks in the memory of one process. Payloads are copied when they come in and when they go out. Of a batch with a payload that is refused
 * (`PAYLOAD_TOO_LARGE`, `NOT_SERIALIZABLE`), the other items take effect and the whole rejects with a `BatchError`.
 */
export class MemoryTaskStateStore implements TaskStateStore {
  readonly capabilities: TaskStateStoreCapabilities;
  readonly #store: Store;
  readonly #connection: MemoryConnection;
  readonly #table: TaskTable;
  readonly #sweep: TaskSweep;

  constructor(store: Store, connection: MemoryConnection, namespace: string) {
    const { maxPayloadBytes } = store.limits;
    this.capabilities = { processLocal: true, ttlGranularityMs: 0, maxPayloadBytes };
    this.#store = store;
    this.#connection = connection;
    const { tasks, sweep } = store.namespace(namespace);
    this.#table = tasks;
    this.#sweep = sweep;
  }

  async create(drafts: readonly SubmittedDraft[]): Promise<readonly CreateOutcome[]> {
    const taken = tryEach(drafts, (draft) => this.#take(draft));
    return this.#batch("create", taken, (draft, now) => {
      const entry = this.#table.find(draft.id, now);
      const { record, outcome } = transitions.create(entry?.record, draft, now);
      this.#table.write(entry, record, now);
      return { ...outcome, record: snapshotOf(record) };
    });
  }

  get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return this.#batch("get", ids, (id, now) => snapshot(this.#table.find(id, now)?.record));
  }

  list(query: TaskQuery): Promise<Page<TaskRecord>> {
    return this.#connection.call("list", () => {
      const { items, next } = queryTasks(this.#table, query, this.#store.clock.now());
      return next === undefined ? { items: items.map(snapshotOf) } : { items: items.map(snapshotOf), next };
    });
  }

  async markSent(marks: readonly SendMark[]): Promise<void> {
    await this.#batch("markSent", marks, (mark, now) =>
      this.#change(mark.id, now, (record) => transitions.markSent(record, mark, now)),
    );
  }

  withdraw(marks: readonly SendMark[]): Promise<readonly boolean[]> {
    return this.#batch("withdraw", marks, (mark, now) => {
      const entry = this.#table.find(mark.id, now);
      if (entry === undefined) return false;
      const { record, outcome } = transitions.withdraw(entry.record, mark, now);
      this.#table.write(entry, record, now);
      return outcome;
    });
  }

  async retain(rootId: string, expiresAt: number | undefined): Promise<void> {
    await this.#connection.call("retain", () => {
      const now = this.#store.clock.now();
      for (const entry of this.#table.run(rootId)) {
        this.#table.write(entry, transitions.retain(entry.record, expiresAt), now);
      }
    });
  }

  claim(claims: readonly Claim[]): Promise<readonly ClaimOutcome[]> {
    return this.#batch("claim", claims, (ask, now) => {
      const entry = this.#table.find(ask.id, now);
      // A message carries the whole draft each time; it is wanted once in a blue moon.
      const draft = entry === undefined && ask.draft !== undefined ? this.#take(ask.draft) : undefined;
      const { record, outcome } = transitions.claim(entry?.record, draft === undefined ? ask : { ...ask, draft }, now);
      if (record === undefined) return outcome;
      this.#table.write(entry, record, now);
      return { ...outcome, record: snapshotOf(record) } as ClaimOutcome;
    });
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewOutcome[]> {
    const taken = tryEach(renewals, (ask) => ({ ...ask, progress: this.#takeProgress(ask.progress) }));
    return this.#batch("renew", taken, (ask, now) => this.#step(ask.id, ask, now, transitions.renew));
  }

  reserve(reservations: readonly Reservation[]): Promise<readonly ReserveOutcome[]> {
    return this.#batch("reserve", reservations, (ask, now) => this.#step(ask.id, ask, now, transitions.reserve));
  }

  async settle(settles: readonly Settle[]): Promise<readonly SettleOutcome[]> {
    const taken = tryEach(settles, (ask) => this.#takeSettle(ask));
    return this.#batch("settle", taken, (ask, now) => {
      const outcome = this.#step(ask.id, ask, now, transitions.settle);
      return outcome.settled ? { settled: true, record: snapshotOf(outcome.record) } : outcome;
    });
  }

  childEnded(ends: readonly ChildEnd[]): Promise<readonly (TaskRecord | undefined)[]> {
    return this.#batch("childEnded", ends, (end, now) =>
      snapshot(this.#change(end.parentId, now, (record) => transitions.childEnded(record, end, now))),
    );
  }

  requestCancel(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return this.#batch("requestCancel", ids, (id, now) =>
      snapshot(this.#change(id, now, (record) => transitions.requestCancel(record, now))),
    );
  }

  async reopen(reopen: Reopen): Promise<TaskRecord | undefined> {
    const { input } = reopen;
    const ask = input === undefined ? reopen : { ...reopen, input: takePayload(input, this.#max, "input") };
    return this.#connection.call("reopen", () => {
      const now = this.#store.clock.now();
      return snapshot(this.#change(ask.id, now, (record) => transitions.reopen(record, ask, now)));
    });
  }

  reopenChild(reopen: ReopenChild): Promise<TaskRecord | undefined> {
    return this.#connection.call("reopenChild", () => {
      const now = this.#store.clock.now();
      return snapshot(this.#change(reopen.parentId, now, (record) => transitions.reopenChild(record, reopen, now)));
    });
  }

  recover(options: RecoverOptions): Promise<RecoverPage | undefined> {
    return this.#connection.call("recover", () => {
      const page = this.#sweep.page(options, this.#store.clock.now());
      if (page === undefined) return undefined;
      const items = page.items.map(({ record, reason }) => ({ record: snapshotOf(record), reason }));
      return page.next === undefined ? { items } : { items, next: page.next };
    });
  }

  async dutiesDone(done: readonly DutiesDone[]): Promise<void> {
    await this.#batch("dutiesDone", done, ({ id, series, duties }, now) =>
      this.#change(id, now, (record) => transitions.dutiesDone(record, series, duties)),
    );
  }

  /** Told a microtask after the step; nothing is told while the connection is down. */
  changes(onEnded: (ids: readonly string[]) => void): () => void {
    if (this.#connection.isClosed) return () => {};
    const stop = this.#table.changes.listen((ids) => {
      if (this.#connection.isUp) onEnded(ids);
    });
    const forget = this.#connection.onClosed(stop);
    return () => {
      stop();
      forget();
    };
  }

  get #max(): number {
    return this.capabilities.maxPayloadBytes;
  }

  #take<Draft extends TaskDraft>(draft: Draft): Draft {
    return { ...draft, input: takePayload(draft.input, this.#max, "input") };
  }

  #takeProgress(progress: JsonValue | undefined): JsonValue | undefined {
    return progress === undefined ? undefined : takePayload(progress, this.#max, "progress");
  }

  #takeSettle(ask: Settle): Settle {
    let { outcome, progress } = ask;
    progress = this.#takeProgress(progress);
    if (outcome.kind === "completed" && outcome.result !== undefined) {
      outcome = { kind: "completed", result: takePayload(outcome.result, this.#max, "result") };
    } else if (outcome.kind === "retry" || outcome.kind === "failed") {
      outcome = { ...outcome, error: { ...outcome.error } };
    }
    return { id: ask.id, token: ask.token, outcome, progress, resend: ask.resend, send: ask.send };
  }

  /** Runs a step of one task; what it returns as `undefined` changes nothing. @returns the record after it. */
  #change(id: string, now: number, step: (record: TaskRecord) => TaskRecord | undefined): TaskRecord | undefined {
    const entry = this.#table.find(id, now);
    const record = entry && step(entry.record);
    if (record !== undefined) this.#table.write(entry, record, now);
    return record;
  }

  #step<Ask, Outcome>(
    id: string,
    ask: Ask,
    now: number,
    step: (record: TaskRecord | undefined, ask: Ask, now: number) => transitions.Step<Outcome, TaskRecord | undefined>,
  ): Outcome {
    const entry = this.#table.find(id, now);
    const { record, outcome } = step(entry?.record, ask, now);
    if (record !== undefined) this.#table.write(entry, record, now);
    return outcome;
  }

  /** Each item is a step of its own; refused ones are passed by. */
  async #batch<Ask, Answer>(
    what: string,
    asks: readonly Tried<Ask>[],
    step: (ask: Ask, now: number) => Answer,
  ): Promise<readonly Answer[]> {
    const answers = await this.#connection.call(what, () => {
      const now = this.#store.clock.now();
      return tryEach(asks, (ask) => step(ask, now));
    });
    return answersOf(answers);
  }
}

function snapshot(record: TaskRecord | undefined): TaskRecord | undefined {
  return record && snapshotOf(record);
}
