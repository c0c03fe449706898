import type {
  ChildState,
  Claim,
  ClaimOutcome,
  CreateOutcome,
  Duty,
  HeldLease,
  RecoveryReason,
  Renewal,
  RenewOutcome,
  ReserveOutcome,
  Settle,
  SettleOutcome,
  SettleOutcomeKind,
  TaskDraft,
  TaskErrorInfo,
  TaskRecord,
  TaskStateStore,
  TerminalStatus,
} from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext } from "../case.ts";

/** A lease that does not run out while a case runs. */
export const LONG_LEASE_MS = 60_000;
/** A lease that a case waits out. */
export const SHORT_LEASE_MS = 300;
/** How long to wait for a short time of the store's to be over: servers' clocks differ a little. */
export const pastMs = (ms: number) => ms + 150;

export type Granted = Extract<ClaimOutcome, { claimed: true }>;
export type Refused = Extract<ClaimOutcome, { claimed: false }>;

export function errorInfo(message = "it broke"): TaskErrorInfo {
  return { name: "Error", message };
}

/** A port's batch methods, one item at a time, with what most cases ask for as defaults. */
export class Store {
  readonly port: TaskStateStore;
  readonly #t: CaseContext;

  constructor(port: TaskStateStore, t: CaseContext) {
    this.port = port;
    this.#t = t;
  }

  draft(id: string, of: Partial<TaskDraft> = {}): TaskDraft {
    return {
      id,
      type: "conformance.task",
      taskVersion: "1.0",
      queue: "default",
      input: { of: id },
      rootId: id,
      series: 1,
      streamId: id,
      createdAt: this.#t.clock.now(),
      retentionMs: 3_600_000,
      ...of,
    };
  }

  async create(draft: TaskDraft & { readonly tombstone?: boolean }): Promise<CreateOutcome> {
    return only(await this.port.create([draft]));
  }

  /** Creates a record that is not there yet. */
  async make(id: string, of: Partial<TaskDraft> = {}): Promise<TaskRecord> {
    const { kind, record } = await this.create(this.draft(id, of));
    equal(kind, "created", `create of ${id}`);
    return record;
  }

  async get(id: string): Promise<TaskRecord | undefined> {
    return only(await this.port.get([id]));
  }

  async record(id: string): Promise<TaskRecord> {
    const record = await this.get(id);
    assert(record !== undefined, `there is a record ${id}`);
    return record;
  }

  async claim(id: string, ask: Partial<Claim> = {}): Promise<ClaimOutcome> {
    return only(await this.port.claim([claimOf(id, ask)]));
  }

  /** A claim that has to succeed. */
  async take(id: string, ask: Partial<Claim> = {}): Promise<Granted> {
    const outcome = await this.claim(id, ask);
    assert(outcome.claimed, `the claim of ${id} succeeds; it was refused: ${outcome.claimed ? "" : outcome.reason}`);
    return outcome;
  }

  /** A claim that has to be refused, for this reason. */
  async refused(id: string, reason: Refused["reason"], ask: Partial<Claim> = {}): Promise<Refused> {
    const outcome = await this.claim(id, ask);
    assert(!outcome.claimed, `the claim of ${id} is refused as ${reason}; it was granted`);
    equal(outcome.reason, reason, `why the claim of ${id} is refused`);
    return outcome;
  }

  async renew(lease: HeldLease, ask: Partial<Renewal> = {}): Promise<RenewOutcome> {
    return only(await this.port.renew([{ id: lease.id, token: lease.token, leaseMs: lease.leaseMs, ...ask }]));
  }

  async reserve(lease: HeldLease, key: string, childId: string): Promise<ReserveOutcome> {
    return only(await this.port.reserve([{ id: lease.id, token: lease.token, key, childId }]));
  }

  async settle(lease: HeldLease, outcome: SettleOutcomeKind, ask: Partial<Settle> = {}): Promise<SettleOutcome> {
    return only(await this.port.settle([{ id: lease.id, token: lease.token, outcome, resend: false, ...ask }]));
  }

  /** A settle that has to succeed. */
  async end(lease: HeldLease, outcome: SettleOutcomeKind, ask: Partial<Settle> = {}): Promise<TaskRecord> {
    const settled = await this.settle(lease, outcome, ask);
    assert(settled.settled, `the settle of ${lease.id} as ${outcome.kind} succeeds`);
    return settled.record;
  }

  async childEnded(parentId: string, key: string, status: TerminalStatus, child: Partial<ChildState> = {}) {
    const { id = childIdOf(parentId, key), series = 1 } = child;
    return only(await this.port.childEnded([{ parentId, key, childId: id, status, series }]));
  }

  async cancel(id: string): Promise<TaskRecord | undefined> {
    return only(await this.port.requestCancel([id]));
  }

  async withdraw(id: string, series: number, send: number): Promise<boolean> {
    return only(await this.port.withdraw([{ id, series, send }]));
  }

  async done(id: string, duties: readonly Duty[], series = 1): Promise<void> {
    await this.port.dutiesDone([{ id, series, duties }]);
  }

  /** A task that was claimed and settled: by default it owes nothing any more. */
  async finished(id: string, outcome: SettleOutcomeKind, owes: readonly Duty[] = []): Promise<TaskRecord> {
    await this.make(id);
    const { lease } = await this.take(id, { owes });
    return this.end(lease, outcome);
  }

  /** A claimed parent with these sub-tasks reserved. */
  async parent(id: string, keys: readonly string[], ask: Partial<Claim> = {}): Promise<HeldLease> {
    await this.make(id);
    const { lease } = await this.take(id, ask);
    for (const key of keys)
      equal(await this.reserve(lease, key, childIdOf(id, key)), { kind: "reserved" }, `reserving ${key}`);
    return lease;
  }

  /** One whole sweep: why which records were found, each page at most `limit` long. `undefined` while another node sweeps. */
  async sweep(node: string, graceMs: number, limit = 100): Promise<ReadonlyMap<string, RecoveryReason> | undefined> {
    const found = new Map<string, RecoveryReason>();
    let cursor: string | undefined;
    do {
      const page = await this.port.recover({ node, leaseMs: 500, graceMs, limit, cursor });
      if (page === undefined) return undefined;
      assert(page.items.length <= limit, `a page holds at most ${limit} records`);
      for (const { record, reason } of page.items) {
        assert(!found.has(record.id), `one sweep finds ${record.id} once`);
        found.set(record.id, reason);
      }
      cursor = page.next;
    } while (cursor !== undefined);
    return found;
  }
}

export function childIdOf(parentId: string, key: string): string {
  return `${parentId}/${key}`;
}

export function claimOf(id: string, ask: Partial<Claim> = {}): Claim {
  return { id, series: 1, node: "node-a", leaseMs: LONG_LEASE_MS, maxAttempts: 5, owes: [], ...ask };
}

/** The answer to a batch of one. */
export function only<T>(answers: readonly T[]): T {
  equal(answers.length, 1, "a batch of one has one answer");
  return answers[0] as T;
}
