import { describe, expect, it } from "vitest";
import type { Claim, ClaimOutcome, Settle } from "../ports/task-state-store.ts";
import type { Duty, TaskDraft, TaskRecord } from "./record.ts";
import * as step from "./transitions.ts";

const T0 = 1_000_000;
const LEASE_MS = 1_000;
const OWES: readonly Duty[] = ["end-stream", "announce"];

function draft(changes: Partial<TaskDraft> = {}): TaskDraft {
  return {
    id: "a",
    type: "t",
    taskVersion: "1.0",
    queue: "default",
    input: { n: 1 },
    rootId: "a",
    series: 1,
    streamId: "a",
    createdAt: T0,
    retentionMs: 60_000,
    ...changes,
  };
}

function ask(changes: Partial<Claim> = {}): Claim {
  return { id: "a", series: 1, node: "n1", leaseMs: LEASE_MS, maxAttempts: 3, owes: OWES, ...changes };
}

const queued = (changes?: Partial<TaskDraft>) => step.newRecord(draft(changes), T0);

function claimed(record: TaskRecord, now = T0, changes?: Partial<Claim>): TaskRecord {
  const { outcome } = step.claim(record, ask({ series: record.series, ...changes }), now);
  if (!outcome?.claimed) throw new Error(`not claimed: ${JSON.stringify(outcome)}`);
  return outcome.record;
}

function settled(record: TaskRecord, outcome: Settle["outcome"], now = T0, resend = false): TaskRecord {
  const { outcome: answer } = step.settle(record, { id: "a", token: record.fence, outcome, resend }, now);
  if (!answer.settled) throw new Error("not settled");
  return answer.record;
}

function withChildren(record: TaskRecord, keys: readonly string[], now = T0): TaskRecord {
  let parent = record;
  for (const key of keys) {
    const { record: next } = step.reserve(parent, { id: "a", token: parent.fence, key, childId: `a/${key}` }, now);
    parent = next as TaskRecord;
  }
  return parent;
}

const end = (key: string, status: "COMPLETED" | "FAILED" | "CANCELLED", series = 1) => ({
  parentId: "a",
  key,
  childId: `a/${key}`,
  status,
  series,
});

const COMPLETED = { kind: "completed", result: { ok: true } } as const;
const ERROR = { name: "Error", message: "no" };
const RETRY = { kind: "retry", error: ERROR, delayMs: 500 } as const;
const FAILED = { kind: "failed", status: "FAILED", error: ERROR } as const;
const RELEASED = { kind: "released" } as const;
const mark = (record: TaskRecord) => ({ id: record.id, series: record.series, send: record.sends });
const done = (record: TaskRecord) => step.dutiesDone(record, record.series, record.duties);

it("gives no token twice to an id, also where its record had gone in between", () => {
  const first = claimed(claimed(queued()), T0 + LEASE_MS);
  const again = claimed(step.newRecord(draft(), T0 + 60_000), T0 + 60_000);
  expect(again.lease?.token).toBeGreaterThan(first.lease?.token ?? 0);
});

describe("create", () => {
  it("begins the first send of a new record", () => {
    const { record, outcome } = step.create(undefined, draft(), T0);
    expect(outcome.kind).toBe("created");
    expect(record).toMatchObject({ status: "QUEUED", sends: 1, sendingAt: T0, version: 1, attempts: 0 });
  });

  it.each([
    ["another type", { type: "u" }],
    ["another input", { input: { n: 2 } }],
    ["a parent", { parentId: "p" }],
  ])("refuses %s under the same id", (_, changes) => {
    const existing = queued();
    const { record, outcome } = step.create(existing, draft(changes), T0);
    expect(outcome.kind).toBe("conflict");
    expect(record).toBe(existing);
  });

  it("begins another send while the first is not known to have arrived", () => {
    const { record, outcome } = step.create(queued(), draft({ input: { n: 1 } }), T0 + 5);
    expect(outcome).toMatchObject({ kind: "existing", resend: true });
    expect(record).toMatchObject({ sends: 2, sendingAt: T0 + 5 });
  });

  it("changes nothing once it was sent", () => {
    const sent = step.markSent(queued(), mark(queued()), T0);
    const { record, outcome } = step.create(sent, draft(), T0 + 5);
    expect(outcome).toMatchObject({ kind: "existing", resend: false });
    expect(record).toBe(sent);
  });

  it("reopens what was withdrawn, with the new input", () => {
    const withdrawn = step.withdraw(queued(), mark(queued()), T0).record;
    const { record, outcome } = step.create(withdrawn, draft({ input: { n: 2 } }), T0 + 5);
    expect(outcome.kind).toBe("reopened");
    expect(record).toMatchObject({ status: "QUEUED", series: 2, input: { n: 2 }, withdrawn: false, version: 3 });
  });

  it("buries a sub-task that was never made, until its parent is replayed", () => {
    const child = draft({ id: "a/x", parentId: "a", key: "x", parentSeries: 1 });
    const { record: tomb } = step.create(undefined, { ...child, type: "unmade", tombstone: true }, T0);
    expect(tomb).toMatchObject({ status: "CANCELLED", duties: ["tell-parent"], sends: 0 });
    expect(step.create(tomb, child, T0).outcome.kind).toBe("conflict");
    const { record, outcome } = step.create(tomb, { ...child, parentSeries: 2 }, T0);
    expect(outcome.kind).toBe("reopened");
    expect(record).toMatchObject({ status: "QUEUED", type: "t", series: 2 });
  });
});

describe("withdraw", () => {
  it("takes back what nobody has, and says so again when asked again", () => {
    const { record, outcome } = step.withdraw(queued(), mark(queued()), T0);
    expect(outcome).toBe(true);
    expect(record).toMatchObject({ status: "CANCELLED", withdrawn: true, finishedAt: T0 });
    expect(step.withdraw(record, mark(queued()), T0 + 5)).toEqual({ record, outcome: true });
  });

  it.each<[string, TaskRecord]>([
    ["was claimed", claimed(queued())],
    ["was claimed and handed back", settled(claimed(queued()), RELEASED)],
    ["was sent", step.markSent(queued(), mark(queued()), T0)],
    ["is of a later series", { ...queued(), series: 2 }],
  ])("leaves what %s", (_, record) => {
    expect(step.withdraw(record, mark(queued()), T0)).toEqual({ record, outcome: false });
  });

  it("takes back only what every sender knows to have failed, whoever says so first", () => {
    const twice = step.beginSend(queued(), T0);
    for (const [first, second] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const one = step.withdraw(twice, { ...mark(twice), send: first }, T0);
      expect(one).toMatchObject({ outcome: false, record: { status: "QUEUED", failedSends: [first] } });
      expect(step.withdraw(one.record, { ...mark(twice), send: first }, T0)).toEqual({
        record: one.record,
        outcome: false,
      });
      const both = step.withdraw(one.record, { ...mark(twice), send: second }, T0);
      expect(both).toMatchObject({ outcome: true, record: { status: "CANCELLED", withdrawn: true } });
    }
  });
});

describe("claim", () => {
  const ended = settled(claimed(queued()), COMPLETED);
  const parent = withChildren(claimed(queued()), ["x"]);
  const cases: [string, TaskRecord | undefined, Partial<Claim>, Partial<Extract<ClaimOutcome, { claimed: false }>>][] =
    [
      ["ended", ended, {}, { reason: "finished" }],
      ["withdrawn", step.withdraw(queued(), mark(queued()), T0).record, {}, { reason: "finished" }],
      ["running", claimed(queued(), T0 - 300), {}, { reason: "running", retryInMs: LEASE_MS - 300 }],
      ["not due", queued({ notBefore: T0 + 70 }), {}, { reason: "early", retryInMs: 70 }],
      ["of a later series", { ...queued(), series: 2 }, {}, { reason: "superseded" }],
      ["of an earlier series", queued(), { series: 2 }, { reason: "behind" }],
      ["waiting for sub-tasks", settled(parent, COMPLETED), {}, { reason: "awaiting-children" }],
      ["closing", settled(parent, FAILED), {}, { reason: "awaiting-children" }],
      ["not to be cancelled", queued(), { toCancel: true }, { reason: "not-cancelled" }],
      ["unknown", undefined, {}, { reason: "not-found" }],
      ["unknown and too old", undefined, { draft: draft({ createdAt: T0 - 60_001 }) }, { reason: "not-found" }],
    ];
  it.each(cases)("refuses a task that is %s", (_, record, changes, refusal) => {
    const answer = step.claim(record, ask(changes), T0);
    expect(answer.outcome).toMatchObject({ claimed: false, ...refusal });
    expect(answer.record).toBe(record);
  });

  it("makes the record from the message where there is none", () => {
    const { record, outcome } = step.claim(undefined, ask({ draft: draft({ createdAt: T0 - 60_000 }) }), T0);
    expect(outcome?.claimed).toBe(true);
    expect(record).toMatchObject({ status: "RUNNING", attempts: 1, sentAt: T0 });
  });

  it("makes the record also where it is too early to run it", () => {
    const { record, outcome } = step.claim(undefined, ask({ draft: draft({ notBefore: T0 + 9 }) }), T0);
    expect(outcome).toMatchObject({ claimed: false, reason: "early", retryInMs: 9 });
    expect(record).toMatchObject({ status: "QUEUED", sentAt: T0 });
  });

  it("takes over at the moment the lease ends, with a new token and a lease twice as long each time", () => {
    let record = claimed(queued(), T0);
    for (const doubled of [2, 4, 8]) {
      const now = (record.lease?.expiresAt ?? 0) + 0;
      const before = record;
      record = claimed(record, now, { maxAttempts: 99 });
      expect(record.lease).toMatchObject({ token: before.fence + 1, expiresAt: now + doubled * LEASE_MS });
    }
    expect(record).toMatchObject({ attempts: 4, retryCount: 3, startedAt: T0 });
  });

  it("counts an attempt, except for one that must not run", () => {
    const used = settled(claimed(queued()), RETRY);
    const again = { ...used, attempts: 3 };
    const late = queued({ deadlineAt: T0 - 1 });
    const cancelled = step.requestCancel(queued({ notBefore: T0 + 50 }), T0);
    for (const [record, instead] of [
      [again, "exhausted"],
      [late, "expired"],
      [cancelled, "cancelled"],
    ] as const) {
      const { outcome } = step.claim(record, ask(), T0 + 500);
      expect(outcome).toMatchObject({ claimed: true, instead, record: { attempts: record.attempts } });
    }
  });

  it("lets a task past its deadline go on once it has started", () => {
    const started = settled(claimed(queued({ deadlineAt: T0 })), RETRY);
    expect(step.claim(started, ask(), T0 + 600).outcome).toMatchObject({ claimed: true, instead: undefined });
  });

  it("shows that the message arrived, so that nobody sends it again or takes it back", () => {
    const record = claimed(queued(), T0 + 5);
    expect(record.sentAt).toBe(T0 + 5);
    expect(step.markSent(record, mark(record), T0 + 6)).toBe(record);
  });
});

describe("a lease", () => {
  it("that has run out untaken still renews and settles", () => {
    const record = claimed(queued(), T0);
    const late = T0 + 10 * LEASE_MS;
    const ask = { id: "a", token: T0 + 1, leaseMs: LEASE_MS, phase: "waiting", progress: { done: 1 } } as const;
    const { record: renewed, outcome } = step.renew(record, ask, late);
    expect(outcome).toEqual({ held: true, expiresAt: late + LEASE_MS, cancelRequested: false });
    expect(renewed).toMatchObject({ phase: "waiting", progress: { done: 1 } });
    const back = step.renew(renewed, { id: "a", token: T0 + 1, leaseMs: LEASE_MS, phase: null }, late).record;
    expect(back?.phase).toBeUndefined();
    expect(settled(record, COMPLETED, late).status).toBe("COMPLETED");
  });

  it("that was taken over, settled, or never given is refused by every step", () => {
    const first = claimed(queued(), T0);
    const second = claimed(first, T0 + LEASE_MS);
    for (const [record, token] of [
      [second, 1],
      [settled(second, COMPLETED), 2],
      [queued(), 0],
      [undefined, 1],
    ] as const) {
      expect(step.renew(record, { id: "a", token, leaseMs: 1 }, T0)).toEqual({ record, outcome: { held: false } });
      const reservation = { id: "a", token, key: "x", childId: "c" };
      expect(step.reserve(record, reservation, T0)).toEqual({ record, outcome: { kind: "stale" } });
      const settle = { id: "a", token, outcome: COMPLETED, resend: false };
      expect(step.settle(record, settle, T0)).toEqual({ record, outcome: { settled: false } });
    }
  });
});

describe("settle", () => {
  const running = claimed(queued());
  const cancelling = step.requestCancel(running, T0);
  const parent = withChildren(running, ["x"]);
  const parentDone = step.childEnded(parent, end("x", "FAILED"), T0) as TaskRecord;
  const cases: [string, TaskRecord, Settle["outcome"], Partial<TaskRecord>][] = [
    ["a result", running, COMPLETED, { status: "COMPLETED", result: { ok: true }, duties: OWES, finishedAt: T0 + 9 }],
    ["a retry", running, RETRY, { status: "RETRYING", nextAttemptAt: T0 + 509, attempts: 1, duties: [], error: ERROR }],
    ["a failure", running, FAILED, { status: "FAILED", duties: OWES, error: ERROR }],
    ["a release", running, RELEASED, { status: "QUEUED", attempts: 0, startedAt: undefined, retryCount: 0 }],
    ["a delayed release", running, { kind: "released", delayMs: 5 }, { status: "QUEUED", nextAttemptAt: T0 + 14 }],
    ["a retry of what is to be cancelled", cancelling, RETRY, { status: "CANCELLED", duties: OWES }],
    ["a result of what is to be cancelled", cancelling, COMPLETED, { status: "COMPLETED" }],
    ["a result with open sub-tasks", parent, COMPLETED, { status: "RUNNING", phase: "awaiting-children", duties: [] }],
    ["a result with a failed sub-task", parentDone, COMPLETED, { status: "COMPLETED_WITH_ERRORS", duties: OWES }],
    ["a retry with open sub-tasks", parent, RETRY, { status: "RETRYING", phase: undefined }],
    [
      "a failure with open sub-tasks",
      parent,
      FAILED,
      { status: "RUNNING", phase: "closing", closesAs: "FAILED", duties: ["cancel-children"] },
    ],
    [
      "a result with open sub-tasks of what is to be cancelled",
      step.requestCancel(parent, T0),
      COMPLETED,
      { status: "RUNNING", phase: "closing", closesAs: "CANCELLED", duties: ["cancel-children"] },
    ],
  ];
  it.each(cases)("records %s", (_, record, outcome, expected) => {
    const after = settled(record, outcome, T0 + 9);
    expect(after).toMatchObject({ ...expected, lease: undefined, updatedAt: T0 + 9 });
    expect(after.version).toBe(record.version + 1);
  });

  it("begins the next send where the bus has let go of the message", () => {
    expect(settled(running, RETRY, T0 + 9, true)).toMatchObject({ sends: 2, sendingAt: T0 + 9, sentAt: undefined });
    expect(settled(running, RELEASED, T0 + 9, true)).toMatchObject({ sends: 2, sentAt: undefined });
    expect(settled(running, COMPLETED, T0 + 9, true)).toMatchObject({ sends: 1 });
  });

  it("gives back a second attempt without forgetting the first", () => {
    const second = claimed(settled(running, RETRY), T0 + 500);
    expect(second).toMatchObject({ attempts: 2, retryCount: 1 });
    expect(settled(second, RELEASED)).toMatchObject({ attempts: 1, retryCount: 0, startedAt: T0 });
  });
});

describe("sub-tasks", () => {
  it("are reserved once per key, whatever the key", () => {
    const keys = ["x", "__proto__", "constructor", "hasOwnProperty", "", "1"];
    const parent = withChildren(claimed(queued()), keys);
    expect(new Set(Object.keys(parent.children))).toEqual(new Set(keys));
    for (const key of keys) {
      const { record, outcome } = step.reserve(parent, { id: "a", token: T0 + 1, key, childId: "other" }, T0);
      expect(outcome).toEqual({ kind: "existing", childId: `a/${key}`, status: "QUEUED" });
      expect(record).toBe(parent);
    }
    expect(Object.getPrototypeOf(parent.children)).toBe(Object.prototype);
  });

  it.each([
    [["COMPLETED", "COMPLETED"], "COMPLETED"],
    [["COMPLETED", "FAILED"], "COMPLETED_WITH_ERRORS"],
    [["CANCELLED", "COMPLETED"], "COMPLETED_WITH_ERRORS"],
  ] as const)("that end as %j close their parent as %s, once", (ends, status) => {
    let parent = settled(withChildren(claimed(queued()), ["x", "y"]), COMPLETED);
    parent = step.childEnded(parent, end("x", ends[0]), T0 + 1) as TaskRecord;
    expect(parent.status).toBe("RUNNING");
    parent = step.childEnded(parent, end("y", ends[1]), T0 + 2) as TaskRecord;
    expect(parent).toMatchObject({ status, duties: OWES, finishedAt: T0 + 2, phase: undefined });
    const struck = done(parent);
    expect(step.childEnded(struck, end("y", ends[1]), T0 + 3)).toBe(struck);
  });

  it("close a failing parent as it was to end, cancelling being done or not", () => {
    const closing = settled(withChildren(claimed(queued()), ["x"]), FAILED);
    for (const parent of [closing, done(closing)]) {
      const closed = step.childEnded(parent, end("x", "CANCELLED"), T0);
      expect(closed).toMatchObject({ status: "FAILED", duties: OWES, closesAs: undefined });
    }
  });

  it("that newly complete restart the count of attempts", () => {
    const running = withChildren({ ...claimed(queued()), attempts: 2 }, ["x", "y"]);
    expect(step.childEnded(running, end("x", "COMPLETED"), T0)?.attempts).toBe(1);
    expect(step.childEnded(running, end("x", "FAILED"), T0)?.attempts).toBe(2);
    const retrying = settled(running, RETRY);
    expect(step.childEnded(retrying, end("x", "COMPLETED"), T0)?.attempts).toBe(0);
  });

  it("are ignored when unknown, of another id, or of an older series", () => {
    const parent = withChildren(claimed(queued()), ["x"]);
    const reopened = step.reopenChild(parent, { parentId: "a", key: "x", childId: "a/x", childSeries: 3 }, T0);
    for (const [record, told] of [
      [parent, end("z", "COMPLETED")],
      [parent, { ...end("x", "COMPLETED"), childId: "b" }],
      [reopened, end("x", "COMPLETED", 2)],
    ] as const) {
      expect(step.childEnded(record, told, T0)).toBe(record);
    }
    expect(step.childEnded(undefined, end("x", "COMPLETED"), T0)).toBeUndefined();
  });

  it("whose end overtakes the word of their reopening are not waited for again", () => {
    let parent = withChildren(claimed(queued()), ["x", "y"]);
    parent = step.childEnded(parent, end("x", "FAILED", 1), T0) as TaskRecord;
    parent = step.childEnded(parent, end("x", "COMPLETED", 2), T0) as TaskRecord;
    expect(parent.children.x).toMatchObject({ status: "COMPLETED", series: 2 });
    const word = { parentId: "a", key: "x", childId: "a/x", childSeries: 2 };
    expect(step.reopenChild(parent, word, T0)).toBe(parent);
    expect(step.childEnded(parent, end("x", "FAILED", 1), T0)).toBe(parent);
  });
});

describe("requestCancel", () => {
  it("marks what is open, once, and leaves what has ended", () => {
    const asked = step.requestCancel(queued(), T0 + 1);
    expect(asked).toMatchObject({ cancelRequested: true, status: "QUEUED" });
    expect(step.requestCancel(asked, T0 + 2)).toBe(asked);
    const ended = settled(claimed(queued()), COMPLETED);
    expect(step.requestCancel(ended, T0)).toBe(ended);
  });

  it("closes a parent whose handler is through", () => {
    const waiting = settled(withChildren(claimed(queued()), ["x"]), COMPLETED);
    expect(step.requestCancel(waiting, T0)).toMatchObject({
      phase: "closing",
      closesAs: "CANCELLED",
      duties: ["cancel-children"],
    });
  });
});

describe("reopen", () => {
  const failed = done(settled(claimed(queued()), FAILED));

  it("opens an ended task under the next series", () => {
    const reopened = step.reopen(failed, { id: "a", series: 1, streamId: "a~2", parentSeries: 4 }, T0 + 5);
    expect(reopened).toMatchObject({
      status: "QUEUED",
      series: 2,
      streamId: "a~2",
      parentSeries: 4,
      epoch: 1,
      attempts: 0,
      sends: 1,
      sendingAt: T0 + 5,
      error: undefined,
      finishedAt: undefined,
      fence: failed.fence,
    });
  });

  it("leaves the old sub-tasks behind when the input changes, to null as well", () => {
    const completed = done(
      settled(
        step.childEnded(withChildren(claimed(queued()), ["x"]), end("x", "COMPLETED"), T0) as TaskRecord,
        COMPLETED,
      ),
    );
    expect(completed.status).toBe("COMPLETED");
    const reopened = step.reopen(completed, { id: "a", series: 1, input: null }, T0);
    expect(reopened).toMatchObject({ input: null, epoch: 2, children: {} });
  });

  it.each<[string, TaskRecord, number]>([
    ["is open", queued(), 1],
    ["completed, with the same input", done(settled(claimed(queued()), COMPLETED)), 1],
    ["still owes duties", settled(claimed(queued()), FAILED), 1],
    ["is in another series", failed, 2],
  ])("refuses what %s", (_, record, series) => {
    expect(step.reopen(record, { id: "a", series }, T0)).toBeUndefined();
  });

  it("of a sub-task opens a parent that ended with errors, once", () => {
    const parent = done(
      step.childEnded(settled(withChildren(claimed(queued()), ["x"]), COMPLETED), end("x", "FAILED"), T0) as TaskRecord,
    );
    const word = { parentId: "a", key: "x", childId: "a/x", childSeries: 2, streamId: "a~2" };
    const opened = step.reopenChild(parent, word, T0 + 5) as TaskRecord;
    expect(opened).toMatchObject({ status: "RUNNING", phase: "awaiting-children", series: 2, streamId: "a~2" });
    expect(opened.children.x).toMatchObject({ status: "QUEUED", series: 2 });
    expect(step.reopenChild(opened, word, T0 + 6)).toBe(opened);
    expect(step.childEnded(opened, end("x", "COMPLETED", 2), T0 + 7)?.status).toBe("COMPLETED");
  });

  it.each<[string, TaskRecord]>([
    [
      "failed",
      done(
        settled(step.childEnded(withChildren(claimed(queued()), ["x"]), end("x", "FAILED"), T0) as TaskRecord, FAILED),
      ),
    ],
    ["does not know it", queued()],
    ["is closing", settled(withChildren(claimed(queued()), ["x"]), FAILED)],
  ])("of a sub-task is refused by a parent that %s", (_, parent) => {
    const word = { parentId: "a", key: "x", childId: "a/x", childSeries: 2 };
    expect(step.reopenChild(parent, word, T0)).toBeUndefined();
  });
});

describe("what the sweep finds", () => {
  const GRACE = 100;
  const sent = (record: TaskRecord) => step.markSent(record, mark(record), T0);
  const parent = withChildren(claimed(queued()), ["x"]);
  const cases: [string, TaskRecord, number, ReturnType<typeof step.recoveryReason>][] = [
    ["unsent", queued(), GRACE, "unsent"],
    ["unsent and young", queued(), GRACE - 1, undefined],
    ["queued", sent(queued()), 1e9, undefined],
    ["running", claimed(queued()), LEASE_MS - 1, undefined],
    ["running without a lease", claimed(queued()), LEASE_MS, "expired-lease"],
    ["retrying", settled(claimed(queued()), RETRY), 500 + GRACE - 1, undefined],
    ["overdue", settled(claimed(queued()), RETRY), 500 + GRACE, "overdue"],
    ["a lost resend", settled(claimed(queued()), RETRY, T0, true), GRACE, "overdue"],
    ["delayed", sent(queued({ notBefore: T0 + 50 })), 50 + GRACE - 1, undefined],
    ["delayed and overdue", sent(queued({ notBefore: T0 + 50 })), 50 + GRACE, "overdue"],
    ["owing", settled(claimed(queued()), COMPLETED), GRACE, "duties"],
    ["owing and young", settled(claimed(queued()), COMPLETED), GRACE - 1, undefined],
    ["ended", done(settled(claimed(queued()), COMPLETED)), 1e9, undefined],
    ["to be cancelled", step.requestCancel(sent(queued()), T0), GRACE, "cancel"],
    ["to be cancelled and held", step.requestCancel(claimed(queued()), T0), GRACE, undefined],
    ["waiting for sub-tasks", settled(parent, COMPLETED), GRACE, "children"],
    ["closing", settled(parent, FAILED), GRACE, "duties"],
    ["closing, cancelled", done(settled(parent, FAILED)), GRACE, "children"],
  ];
  it.each(cases)("%s", (_, record, later, reason) => {
    expect(step.recoveryReason(record, GRACE, T0 + later)).toBe(reason);
    if (reason === undefined) return;
    expect(step.mayNeedRecovery(record)).toBe(true);
    const recovered = step.recover(record, reason, T0 + later);
    const needsMessage = reason === "unsent" || reason === "expired-lease" || reason === "overdue";
    expect(recovered.sends).toBe(record.sends + (needsMessage ? 1 : 0));
    // Sent or touched, it is left alone for another grace; what is owed comes back until it is done.
    const again = step.recoveryReason(recovered, GRACE, T0 + later + GRACE - 1);
    expect(again).toBe(reason === "duties" || reason === "cancel" ? reason : undefined);
  });

  it.each([
    ["overdue in a queue that nobody works on", settled(claimed(queued()), RETRY)],
    ["left by a worker that died, in such a queue", claimed(queued())],
  ])("gets ever fewer messages while it is %s", (_, left) => {
    let record = sent(left);
    let sends = 0;
    for (let at = 0; at < 1_000 * GRACE; at += GRACE / 10) {
      const now = T0 + at;
      const reason = step.recoveryReason(record, GRACE, now);
      expect(step.recoveryTime(record)).toBeLessThanOrEqual(reason === undefined ? Number.POSITIVE_INFINITY : now);
      if (reason === undefined) continue;
      sends++;
      const recovered = step.recover(record, reason, now);
      record = step.markSent(recovered, mark(recovered), now);
    }
    expect(sends).toBeGreaterThan(8);
    expect(sends).toBeLessThan(14);
  });
});

describe("how long a record is kept", () => {
  const HOUR = 3_600_000;
  const briefly = queued({ retentionMs: 50 });
  const ended = settled(claimed(briefly, T0, { owes: ["end-stream", "retain"] }), COMPLETED);

  it("is no shorter than it takes to do what it owes", () => {
    expect(ended.duties).toEqual(["end-stream"]);
    expect(ended.expiresAt).toBe(T0 + HOUR);
  });

  it("is its retention once nothing is owed", () => {
    expect(done(ended).expiresAt).toBe(T0 + 50);
    const long = settled(claimed(queued({ retentionMs: 2 * HOUR }), T0, { owes: ["end-stream", "retain"] }), COMPLETED);
    expect([long.expiresAt, done(long).expiresAt]).toEqual([T0 + 2 * HOUR, T0 + 2 * HOUR]);
  });

  it("is that of its run for a sub-task, whenever what it owes itself is done", () => {
    const child = queued({ parentId: "p", rootId: "p", retentionMs: 50 });
    const owing = settled(claimed(child, T0, { owes: ["tell-parent", "announce"] }), COMPLETED);
    expect(done(step.retain(owing, T0 + 9_000)).expiresAt).toBe(T0 + 9_000);
  });
});

describe("a task that was asked to stop", () => {
  it.each<[string, Extract<Settle["outcome"], { readonly kind: "failed" }>]>([
    ["fails", FAILED],
    ["has used up its attempts", { ...FAILED, status: "DEAD_LETTER" }],
  ])("is CANCELLED also where it %s, with its error", (_, outcome) => {
    const asked = step.requestCancel(claimed(queued()), T0);
    expect(settled(asked, outcome)).toMatchObject({ status: "CANCELLED", error: outcome.error });
  });
});

describe("jsonEqual", () => {
  it.each([
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{ a: undefined }, {}, true],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}'), true],
    [JSON.parse('{"__proto__":{}}'), {}, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{ toString: 1 }, { a: 1 }, false],
    [null, {}, false],
    ["1", 1, false],
  ])("%j and %j: %j", (a, b, equal) => {
    expect(step.jsonEqual(a, b)).toBe(equal);
    expect(step.jsonEqual(b, a)).toBe(equal);
  });
});
