import { newRecord, type TaskDraft, type TaskRecord } from "@intermodal/core/ports";
import { BSON } from "mongodb";
import { describe, expect, it } from "vitest";
import { changesOf, recordOf, type TaskDocument } from "./task-document.ts";

const NOW = 1_800_000_000_123;
const draft: TaskDraft = {
  id: "42",
  type: "chapter.summarise",
  taskVersion: "1.0",
  queue: "default",
  input: { chapterId: "7" },
  userId: "alice",
  rootId: "42",
  series: 1,
  streamId: "42",
  createdAt: NOW - 5,
  retentionMs: 1_000,
  notBefore: NOW + 5,
};

const full: TaskRecord = {
  ...newRecord({ ...draft, parentId: "p", key: "k", parentSeries: 2, deadlineAt: NOW, traceparent: "t" }, NOW),
  status: "RUNNING",
  phase: "closing",
  closesAs: "FAILED",
  progress: { done: 1 },
  result: [1, { $odd: true }],
  error: { name: "E", message: "broke \ud800", code: "X", stack: "at" },
  failedSends: [1, 2],
  sentAt: NOW,
  startedAt: NOW,
  finishedAt: NOW,
  lastAttemptAt: NOW,
  expiresAt: 9e15,
  node: "n",
  lease: { token: 3, expiresAt: NOW + 10, counted: true },
  children: Object.fromEntries([
    ["__proto__", { id: "42/a", status: "COMPLETED", series: 1 }],
    ["a.b", { id: "$gt", status: "QUEUED", series: 2 }],
  ]),
  duties: ["cancel-children"],
  owes: ["announce", "retain"],
};

function store(set: object): TaskDocument {
  return BSON.deserialize(BSON.serialize({ ...set, _id: "42" }, { ignoreUndefined: true })) as TaskDocument;
}

describe("a record", () => {
  it.each([
    ["new", newRecord(draft, NOW)],
    ["with everything", full],
  ])("comes back as it was: %s", (_, record) => {
    expect(recordOf(store(changesOf(undefined, record).set))).toEqual(record);
  });

  it("stands in fields that people can query", () => {
    const document = store(changesOf(undefined, full).set);
    expect(document).toMatchObject({
      _id: "42",
      type: "chapter.summarise",
      status: "RUNNING",
      user_id: "alice",
      parent_id: "p",
      parameters: { chapterId: "7" },
      progress: { done: 1 },
      result_json: '[1,{"$odd":true}]',
      created_at: new Date(NOW - 5),
      retry_count: 0,
      version: 1,
      children_summary: { total: 2, open: 1, completed: 1, failed: 0 },
    });
    expect(document.children?.map(({ key }) => key)).toEqual(["__proto__", "a.b"]);
  });

  it("is written where it has changed, and nowhere else", () => {
    const before = newRecord(draft, NOW);
    const after: TaskRecord = {
      ...before,
      status: "CANCELLED",
      nextAttemptAt: undefined,
      input: { $x: 1 },
      version: 2,
    };
    const { set, unset } = changesOf(before, after);
    expect(set).toEqual({ status: "CANCELLED", version: 2, parameters_json: '{"$x":1}' });
    expect(unset).toEqual({ next_attempt_at: "", parameters: "", recover_at: "" });
  });

  it("says when the sweep may want it", () => {
    const queued = newRecord({ ...draft, notBefore: undefined }, NOW);
    expect(store(changesOf(undefined, queued).set).recover_at).toEqual(new Date(NOW));
    expect(store(changesOf(undefined, { ...queued, sentAt: NOW }).set).recover_at).toBeUndefined();
  });
});
