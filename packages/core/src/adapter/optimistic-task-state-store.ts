import type { TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import * as transitions from "../lifecycle/transitions.ts";
import type { Clock } from "../ports/clock.ts";
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
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { type Tried, tryEach } from "./each.ts";
import { KnownRecords } from "./known-records.ts";
import { takePayload } from "./payload.ts";
import { type RecordStep, RecordSteps } from "./record-steps.ts";
import type { RecordTable } from "./record-table.ts";
import { snapshotOf } from "./snapshot.ts";

type SubmittedDraft = TaskDraft & { readonly tombstone?: boolean | undefined };
type DutiesDone = Parameters<TaskStateStore["dutiesDone"]>[0][number];

/** A record that the sweep may want, by the time of `recoveryTime`. */
export interface RecoveryCandidate {
  readonly at: number;
  readonly id: string;
}

/** What the recovery sweep needs of a store beside its records. */
export interface SweepTable {
  /** Keeps other nodes' sweeps out for `leaseMs`, in one atomic step. @returns the store's time, or `undefined` while another node's sweep is at work. */
  hold(node: string, leaseMs: number): Promise<number | undefined>;
  /** Candidates by time, then id: those after `after`, up to the time `until`, at most `limit`. */
  candidates(after: RecoveryCandidate | undefined, until: number, limit: number): Promise<readonly RecoveryCandidate[]>;
}

/** What {@link OptimisticTaskStateStore} works with. */
export interface OptimisticTasks {
  readonly table: RecordTable & SweepTable;
  readonly capabilities: TaskStateStoreCapabilities;
  readonly clock: Clock;
  /** @throws `CLOSED`. */
  readonly assertOpen: (what: string) => void;
}

/**
 * Task state over a store that compares and sets records: the steps are those of `lifecycle/transitions.ts`, the same for every such store. What is left to each is how records are
 * written, listed, and told of.
 */
export abstract class OptimisticTaskStateStore implements TaskStateStore {
  readonly capabilities: TaskStateStoreCapabilities;
  readonly #table: RecordTable & SweepTable;
  readonly #steps: RecordSteps;
  readonly #assertOpen: (what: string) => void;

  constructor({ table, capabilities, clock, assertOpen }: OptimisticTasks) {
    this.capabilities = capabilities;
    this.#table = table;
    this.#steps = new RecordSteps(table, new KnownRecords(), clock);
    this.#assertOpen = assertOpen;
  }

  abstract list(query: TaskQuery): Promise<Page<TaskRecord>>;
  abstract changes(onEnded: (ids: readonly string[]) => void): () => void;

  async create(drafts: readonly SubmittedDraft[]): Promise<readonly CreateOutcome[]> {
    const outcomes = await this.#take(
      "create",
      tryEach(drafts, (draft): RecordStep<CreateOutcome> => {
        const taken = { ...draft, input: this.#payload(draft.input, "input") };
        return { id: draft.id, isNew: true, run: (record, now) => transitions.create(record, taken, now) };
      }),
    );
    return outcomes.map((outcome) => ({ ...outcome, record: snapshotOf(outcome.record) }));
  }

  async get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    this.#assertOpen("get");
    const unique = [...new Set(ids)];
    const readings = unique.length === 0 ? [] : await this.#table.read(unique);
    const records = new Map(readings.map(({ record }, at) => [unique[at], record]));
    return ids.map((id) => snapshot(records.get(id)));
  }

  async markSent(marks: readonly SendMark[]): Promise<void> {
    await this.#change("markSent", marks, (record, mark, now) => transitions.markSent(record, mark, now));
  }

  withdraw(marks: readonly SendMark[]): Promise<readonly boolean[]> {
    return this.#take(
      "withdraw",
      marks.map((mark) => ({
        id: mark.id,
        run: (record, now) =>
          record === undefined ? { record, outcome: false } : transitions.withdraw(record, mark, now),
      })),
    );
  }

  async retain(rootId: string, expiresAt: number | undefined): Promise<void> {
    this.#assertOpen("retain");
    for await (const ids of this.#table.run(rootId)) {
      await this.#change(
        "retain",
        ids.map((id) => ({ id })),
        (record) => (record.rootId === rootId ? transitions.retain(record, expiresAt) : undefined),
      );
    }
  }

  async claim(claims: readonly Claim[]): Promise<readonly ClaimOutcome[]> {
    const outcomes = await this.#take(
      "claim",
      claims.map((ask) => ({
        id: ask.id,
        run: (record, now) => {
          // A message carries the whole draft each time; it is wanted once in a blue moon.
          if (record !== undefined || ask.draft === undefined) return transitions.claim(record, ask, now);
          const draft = { ...ask.draft, input: this.#payload(ask.draft.input, "input") };
          return transitions.claim(undefined, { ...ask, draft }, now);
        },
      })),
    );
    return outcomes.map((outcome) =>
      outcome.record === undefined ? outcome : ({ ...outcome, record: snapshotOf(outcome.record) } as ClaimOutcome),
    );
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewOutcome[]> {
    return this.#take(
      "renew",
      tryEach(renewals, (ask): RecordStep<RenewOutcome> => {
        const taken = { ...ask, progress: this.#progress(ask.progress) };
        return { id: ask.id, run: (record, now) => transitions.renew(record, taken, now) };
      }),
    );
  }

  reserve(reservations: readonly Reservation[]): Promise<readonly ReserveOutcome[]> {
    return this.#take(
      "reserve",
      reservations.map((ask) => ({ id: ask.id, run: (record, now) => transitions.reserve(record, ask, now) })),
    );
  }

  async settle(settles: readonly Settle[]): Promise<readonly SettleOutcome[]> {
    const outcomes = await this.#take(
      "settle",
      tryEach(settles, (ask): RecordStep<SettleOutcome> => {
        const taken = this.#takeSettle(ask);
        const countsDelay = "delayMs" in ask.outcome && (ask.outcome.delayMs ?? 0) > 0;
        return { id: ask.id, countsDelay, run: (record, now) => transitions.settle(record, taken, now) };
      }),
    );
    return outcomes.map((outcome) =>
      outcome.settled ? { settled: true, record: snapshotOf(outcome.record) } : outcome,
    );
  }

  childEnded(ends: readonly ChildEnd[]): Promise<readonly (TaskRecord | undefined)[]> {
    const asks = ends.map((end) => ({ id: end.parentId, end }));
    return this.#change("childEnded", asks, (record, { end }, now) => transitions.childEnded(record, end, now));
  }

  requestCancel(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    const asks = ids.map((id) => ({ id }));
    return this.#change("requestCancel", asks, (record, _, now) => transitions.requestCancel(record, now));
  }

  async reopen(reopen: Reopen): Promise<TaskRecord | undefined> {
    this.#assertOpen("reopen");
    const { input } = reopen;
    const ask = input === undefined ? reopen : { ...reopen, input: this.#payload(input, "input") };
    const [record] = await this.#change("reopen", [ask], (found, _, now) => transitions.reopen(found, ask, now));
    return record;
  }

  async reopenChild(reopen: ReopenChild): Promise<TaskRecord | undefined> {
    const asks = [{ id: reopen.parentId }];
    const [record] = await this.#change("reopenChild", asks, (found, _, now) =>
      transitions.reopenChild(found, reopen, now),
    );
    return record;
  }

  async recover(options: RecoverOptions): Promise<RecoverPage | undefined> {
    this.#assertOpen("recover");
    const { node, leaseMs, graceMs, limit, cursor } = options;
    const from = cursor === undefined ? undefined : decodeCursor(cursor, ["number", "string", "number"]);
    const started = await this.#table.hold(node, leaseMs);
    if (started === undefined) return undefined;
    const [at, id, end] = (from ?? [0, "", started]) as [number, string, number];
    // What joins while a sweep is under way is left to the next one.
    const candidates = await this.#table.candidates(from && { at, id }, end, limit);
    const found = await this.#take(
      "recover",
      candidates.map((candidate) => ({
        id: candidate.id,
        run: (record, now) => {
          const reason = record === undefined ? undefined : transitions.recoveryReason(record, graceMs, now);
          if (record === undefined || reason === undefined) return { record, outcome: undefined };
          const recovered = transitions.recover(record, reason, now);
          return { record: recovered, outcome: { record: recovered, reason } };
        },
      })),
    );
    const items = found
      .filter((item) => item !== undefined)
      .map(({ record, reason }) => ({ record: snapshotOf(record), reason }));
    const last = candidates.at(-1);
    if (last === undefined || candidates.length < limit) return { items };
    return { items, next: encodeCursor([last.at, last.id, end]) };
  }

  async dutiesDone(done: readonly DutiesDone[]): Promise<void> {
    await this.#change("dutiesDone", done, (record, { series, duties }) =>
      transitions.dutiesDone(record, series, duties),
    );
  }

  async #take<Outcome>(what: string, steps: readonly Tried<RecordStep<Outcome>>[]): Promise<readonly Outcome[]> {
    this.#assertOpen(what);
    return this.#steps.take(steps);
  }

  /** Steps that need a record; one that returns `undefined` changes nothing. @returns the records after them. */
  async #change<Ask extends { readonly id: string }>(
    what: string,
    asks: readonly Ask[],
    step: (record: TaskRecord, ask: Ask, now: number) => TaskRecord | undefined,
  ): Promise<readonly (TaskRecord | undefined)[]> {
    const outcomes = await this.#take(
      what,
      asks.map((ask): RecordStep<TaskRecord | undefined> => {
        const run = (record: TaskRecord | undefined, now: number) => {
          const next = record && step(record, ask, now);
          return { record: next ?? record, outcome: next };
        };
        return { id: ask.id, run };
      }),
    );
    return outcomes.map(snapshot);
  }

  #payload(value: JsonValue, what: string): JsonValue {
    return takePayload(value, this.capabilities.maxPayloadBytes, what);
  }

  #progress(progress: JsonValue | undefined): JsonValue | undefined {
    return progress === undefined ? undefined : this.#payload(progress, "progress");
  }

  #takeSettle(ask: Settle): Settle {
    const progress = this.#progress(ask.progress);
    const { outcome } = ask;
    if (outcome.kind !== "completed" || outcome.result === undefined) return { ...ask, progress };
    return { ...ask, progress, outcome: { kind: "completed", result: this.#payload(outcome.result, "result") } };
  }
}

function snapshot(record: TaskRecord | undefined): TaskRecord | undefined {
  return record && snapshotOf(record);
}
