import { expect, it } from "vitest";
import type { Claim, Settle } from "../ports/task-state-store.ts";
import { isTerminal, type TaskRecord, type TerminalStatus } from "./record.ts";
import * as step from "./transitions.ts";

const SEEDS = 200;
const STEPS = 150;
const MAX_ATTEMPTS = 3;
const KEYS = ["x", "y", "__proto__"] as const;
const ENDS: readonly TerminalStatus[] = ["COMPLETED", "FAILED", "CANCELLED"];

/** Repeatable random numbers (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof randomOf>;
type Change = { readonly name: string; readonly reopens?: boolean; run(record: TaskRecord, now: number): TaskRecord };

function claimOf(random: Random, record: TaskRecord): Claim {
  return {
    id: "a",
    series: record.series - (random(8) === 0 ? 1 : 0),
    node: `n${random(3)}`,
    leaseMs: 100,
    maxAttempts: MAX_ATTEMPTS,
    owes: ["end-stream", "retain"],
    toCancel: random(6) === 0,
  };
}

function settleOf(random: Random, token: number): Settle {
  const error = { name: "Error", message: "no" };
  const outcomes: Settle["outcome"][] = [
    { kind: "completed", result: random(9) },
    { kind: "retry", error, delayMs: random(200) },
    { kind: "retry", error, delayMs: random(200) },
    { kind: "failed", status: "DEAD_LETTER", error },
    { kind: "released", delayMs: random(2) * 50 },
  ];
  return { id: "a", token, outcome: outcomes[random(outcomes.length)] as Settle["outcome"], resend: random(2) === 0 };
}

function changeOf(random: Random, record: TaskRecord): Change {
  // Mostly the latest token, now and then an older one.
  const token = record.fence - (random(5) === 0 ? 1 : 0);
  const key = KEYS[random(KEYS.length)] as string;
  const childId = `a/${key}`;
  const known = Object.hasOwn(record.children, key) ? record.children[key]?.series : undefined;
  const series = Math.max(1, (known ?? 1) + random(3) - 1);
  const mark = { id: "a", series: record.series, send: record.sends - random(2) };
  const draft = { ...step.newRecord(record, 0), tombstone: false };
  const changes: Change[] = [
    { name: "create", reopens: true, run: (r, now) => step.create(r, draft, now).record },
    { name: "markSent", run: (r, now) => step.markSent(r, mark, now) },
    { name: "withdraw", run: (r, now) => step.withdraw(r, mark, now).record },
    { name: "claim", run: (r, now) => step.claim(r, claimOf(random, r), now).record as TaskRecord },
    { name: "claim", run: (r, now) => step.claim(r, claimOf(random, r), now).record as TaskRecord },
    {
      name: "renew",
      run: (r, now) => step.renew(r, { id: "a", token, leaseMs: 100, phase: "waiting" }, now).record as TaskRecord,
    },
    { name: "reserve", run: (r, now) => step.reserve(r, { id: "a", token, key, childId }, now).record as TaskRecord },
    { name: "settle", run: (r, now) => step.settle(r, settleOf(random, token), now).record as TaskRecord },
    { name: "settle", run: (r, now) => step.settle(r, settleOf(random, token), now).record as TaskRecord },
    {
      name: "childEnded",
      run: (r, now) => {
        const status = ENDS[random(ENDS.length)] as TerminalStatus;
        return step.childEnded(r, { parentId: "a", key, childId, status, series }, now) as TaskRecord;
      },
    },
    {
      name: "reopenChild",
      reopens: true,
      run: (r, now) => step.reopenChild(r, { parentId: "a", key, childId, childSeries: series }, now) ?? r,
    },
    { name: "requestCancel", run: (r, now) => (random(4) === 0 ? step.requestCancel(r, now) : r) },
    {
      name: "reopen",
      reopens: true,
      run: (r, now) => step.reopen(r, { id: "a", series: r.series, input: random(2) ? { n: 2 } : undefined }, now) ?? r,
    },
    { name: "dutiesDone", run: (r) => step.dutiesDone(r, r.series, r.duties.slice(random(2))) },
    { name: "retain", run: (r, now) => step.retain(r, random(2) ? now + 1e6 : undefined) },
    {
      name: "recover",
      run: (r, now) => {
        const reason = step.recoveryReason(r, 30, now);
        return reason === undefined ? r : step.recover(r, reason, now);
      },
    },
  ];
  return changes[random(changes.length)] as Change;
}

/** What has ended stays as it is, except for what is owed, how long it is kept, and what is heard of its sub-tasks. */
const FROZEN = ["status", "result", "error", "input", "series", "epoch", "attempts", "finishedAt", "fence"] as const;

function check(before: TaskRecord, change: Change, after: TaskRecord, now: number): void {
  if (after === before) return;
  expect(after.version).toBe(before.version + 1);
  expect(after.fence).toBeGreaterThanOrEqual(before.fence);
  expect(after.attempts).toBeLessThanOrEqual(MAX_ATTEMPTS);
  expect(after.attempts).toBeGreaterThanOrEqual(0);
  expect(after.series).toBeGreaterThanOrEqual(before.series);
  if (isTerminal(before.status) && !change.reopens) {
    for (const field of FROZEN) expect(after[field]).toBe(before[field]);
  }
  if (isTerminal(before.status) && change.reopens) expect(after.series).toBe(before.series + 1);
  // A live lease is never replaced by another one.
  const live = before.lease !== undefined && before.lease.expiresAt > now;
  if (live && after.lease !== undefined) expect(after.lease.token).toBe(before.lease?.token);
  if (change.name === "claim") expect(after.lease?.token).toBe(before.fence + 1);
  if (after.lease !== undefined) expect(after.status).toBe("RUNNING");
  if (isTerminal(after.status)) expect(after.lease).toBeUndefined();
  if (after.phase === "closing") expect(after.closesAs).toBeDefined();
  expect(Object.keys(after)).toEqual(Object.keys(before));
  // Whatever is not settled is watched by the sweep, unless a message for it waits in a queue.
  if (!isTerminal(after.status) && after.status !== "QUEUED") expect(step.mayNeedRecovery(after)).toBe(true);
}

/** A store that looks records up by their recovery time must not pass one by. */
function checkRecovery(record: TaskRecord, now: number): void {
  const time = step.recoveryTime(record);
  expect(time !== undefined).toBe(step.mayNeedRecovery(record));
  for (const graceMs of [0, 50]) {
    if (step.recoveryReason(record, graceMs, now) !== undefined) expect(time).toBeLessThanOrEqual(now);
  }
}

it("any sequence of steps keeps the record sound", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomOf(seed);
    let now = 1_000;
    const draft = { id: "a", type: "t", taskVersion: "1.0", queue: "q", input: { n: 1 }, rootId: "a", series: 1 };
    let record = step.newRecord({ ...draft, streamId: "a", createdAt: now, retentionMs: 1e9 }, now);
    for (let count = 0; count < STEPS; count++) {
      now += random(60);
      const change = changeOf(random, record);
      const frozen = JSON.stringify(record);
      const after = change.run(record, now);
      // The step must leave the record it was given alone.
      expect(JSON.stringify(record)).toBe(frozen);
      check(record, change, after, now);
      checkRecovery(after, now + random(400));
      seen.add(`${change.name}:${after.status}`);
      record = after;
    }
  }
  // The walk is no use where it does not get about.
  for (const visited of [
    "claim:RUNNING",
    "settle:COMPLETED",
    "settle:DEAD_LETTER",
    "childEnded:COMPLETED_WITH_ERRORS",
  ]) {
    expect(seen).toContain(visited);
  }
});

it("telling twice is telling once", () => {
  const twice: { [name: string]: (record: TaskRecord, random: Random, now: number) => [TaskRecord, TaskRecord] } = {
    markSent(record, _, now) {
      const mark = { id: "a", series: record.series, send: record.sends };
      const once = step.markSent(record, mark, now);
      return [once, step.markSent(once, mark, now + 1)];
    },
    withdraw(record, _, now) {
      const mark = { id: "a", series: record.series, send: record.sends };
      const once = step.withdraw(record, mark, now);
      const again = step.withdraw(once.record, mark, now + 1);
      expect(again.outcome).toBe(once.outcome);
      return [once.record, again.record];
    },
    childEnded(record, random, now) {
      const key = KEYS[random(KEYS.length)] as string;
      const status = ENDS[random(ENDS.length)] as TerminalStatus;
      const end = { parentId: "a", key, childId: `a/${key}`, status, series: 1 + random(3) };
      const once = step.childEnded(record, end, now) as TaskRecord;
      return [once, step.childEnded(once, end, now + 1) as TaskRecord];
    },
    requestCancel(record, _, now) {
      const once = step.requestCancel(record, now);
      return [once, step.requestCancel(once, now + 1)];
    },
    dutiesDone(record) {
      const once = step.dutiesDone(record, record.series, ["retain"]);
      return [once, step.dutiesDone(once, record.series, ["retain"])];
    },
    reopen(record, _, now) {
      const once = step.reopen(record, { id: "a", series: record.series }, now) ?? record;
      return [once, step.reopen(once, { id: "a", series: record.series }, now + 1) ?? once];
    },
    reopenChild(record, random, now) {
      const key = KEYS[random(KEYS.length)] as string;
      const word = { parentId: "a", key, childId: `a/${key}`, childSeries: 2 + random(3) };
      const once = step.reopenChild(record, word, now) ?? record;
      return [once, step.reopenChild(once, word, now + 1) ?? once];
    },
  };
  const changed = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomOf(seed);
    let now = 1_000;
    const draft = { id: "a", type: "t", taskVersion: "1.0", queue: "q", input: { n: 1 }, rootId: "a", series: 1 };
    let record = step.newRecord({ ...draft, streamId: "a", createdAt: now, retentionMs: 1e9 }, now);
    for (let count = 0; count < 60; count++) {
      for (const [name, run] of Object.entries(twice)) {
        const [once, again] = run(record, random, now);
        expect(again).toBe(once);
        if (once !== record) changed.add(name);
      }
      now += random(60);
      record = changeOf(random, record).run(record, now);
    }
  }
  expect([...changed].sort()).toEqual(Object.keys(twice).sort());
});
