import type { Settle, TaskDraft, TaskErrorInfo, TaskQuery } from "@intermodal/core/ports";
import type { MongoAdapter } from "@intermodal/store-mongo";
import type { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf } from "./entries.ts";
import { MongoStage } from "./mongo-stage.ts";

const missing = await whyMissing("mongo");
let server: Server;
let stage: MongoStage;
let admin: MongoClient;
beforeAll(async () => {
  if (missing === undefined) server = await startServer("mongo");
}, 60_000);
afterAll(() => server?.close());
beforeEach((t) => {
  stage = new MongoStage();
  skipWithout(missing, t);
  admin = stage.admin(server.url);
});
afterEach(() => stage.clear());

function draftOf(id: string, of: Partial<TaskDraft> = {}): TaskDraft {
  const createdAt = Date.now();
  const draft = { id, type: "t", taskVersion: "1.0", queue: "default", input: { of: id }, rootId: id, series: 1 };
  return { ...draft, streamId: id, createdAt, retentionMs: 3_600_000, ...of };
}

async function take(adapter: MongoAdapter, id: string) {
  const ask = { id, series: 1, node: "worker-1", leaseMs: 60_000, maxAttempts: 3, owes: [] };
  const [outcome] = await adapter.taskStateStore.claim([ask]);
  if (outcome?.claimed !== true) throw new Error(`the claim of ${id} was refused`);
  return outcome;
}

describe("collections and indexes that exist", () => {
  test("are kept where they agree, by whomever they were made", async () => {
    await Promise.all([1, 2, 3, 4].map(() => stage.adapter(server.url, {}).taskStateStore.create([draftOf("a")])));
    const indexes = await stage.collection(admin, "tasks").indexes();
    const names = ["_id_", "created_at", "expires_at", "finished_at", "parent_id", "recover_at", "root_id", "status"];
    expect(indexes.map(({ name }) => name).sort()).toEqual([...names, "type", "user_id"]);
    await stage.adapter(server.url, {}).taskStateStore.get(["a"]);
    expect(await stage.collection(admin, "tasks").indexes()).toEqual(indexes);
  });

  test.each([
    [
      "other keys",
      { key: { until: -1 }, name: "until" },
      /index until of collection im_.*_inbox.*key is \{"until":-1\}, needed is \{"until":1\}/,
    ],
    [
      "another time",
      { key: { until: 1 }, name: "until", expireAfterSeconds: 5 },
      /expireAfterSeconds is 5, needed is 0/,
    ],
    [
      "another name",
      { key: { until: 1 }, name: "mine" },
      /has an index mine on \{"until":1\}, where index until is needed/,
    ],
  ])("are told by name and field: an index with %s", async (_, index, says) => {
    await stage.collection(admin, "inbox").createIndexes([index as { key: { until: 1 }; name: string }]);
    const { inbox } = stage.adapter(server.url);
    const reserve = () => inbox.reserve("l", "m", { leaseMs: 1, node: "n" });
    await expect(reserve()).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
    await stage.collection(admin, "inbox").dropIndex(index.name);
    expect(await reserve()).toBe("reserved");
  });

  test("are made again when they were dropped while the server was away from us", async () => {
    const adapter = stage.adapter(server.url);
    await adapter.taskStateStore.create([draftOf("a")]);
    await stage.collection(admin, "tasks").drop();
    expect(await adapter.taskStateStore.get(["a"])).toEqual([undefined]);
    const [again] = await adapter.taskStateStore.create([draftOf("a")]);
    expect(again?.kind).toBe("created");
  });
});

describe("what people find by hand", () => {
  test("tasks, by the names of the requirements", async () => {
    const { taskStateStore } = stage.adapter(server.url);
    await taskStateStore.create([draftOf("42", { userId: "alice", input: { chapterId: "7" } })]);
    const { lease } = await take(stage.adapter(server.url), "42");
    await taskStateStore.renew([{ ...lease, progress: { percent: 50 } }]);
    const tasks = stage.collection(admin, "tasks");
    const [found, ...others] = await tasks
      .find({ user_id: "alice", status: "RUNNING", "parameters.chapterId": "7", "progress.percent": { $gt: 10 } })
      .toArray();
    expect(others).toEqual([]);
    expect(found).toMatchObject({ _id: "42", type: "t", retry_count: 0, node: "worker-1", version: 3 });
    for (const field of ["created_at", "updated_at", "started_at", "last_attempt_at"])
      expect(found?.[field]).toBeInstanceOf(Date);
    await taskStateStore.settle([{ ...lease, outcome: { kind: "completed", result: { words: 9 } }, resend: false }]);
    const done = await tasks.findOne({ "result.words": 9, finished_at: { $gt: new Date(0) } });
    expect([done?.status, done?.lease]).toEqual(["COMPLETED", undefined]);
  });

  test("events of runs", async () => {
    const { eventStream } = stage.adapter(server.url);
    await eventStream.append([{ streamId: "42", events: [eventOf(1, { text: "once" }), eventOf(2, { $odd: 1 })] }]);
    const [chunk] = await stage.collection(admin, "run_events").find({ stream: "42" }).toArray();
    expect(chunk).toMatchObject({
      from: 1,
      to: 2,
      events: [
        { sequence: 1, event: "token", data: { text: "once" } },
        { sequence: 2, data_json: '{"$odd":1}' },
      ],
    });
  });
});

const MIB = 1_048_576;

describe("what does not fit into a document is refused to the task whose it is", () => {
  const text = (mib: number) => "x".repeat(mib * MIB);
  test.each([
    ["a text that is none", { message: "m" } as TaskErrorInfo, "NOT_SERIALIZABLE"],
    ["more than can be sent", { name: "E", message: text(17) }, "PAYLOAD_TOO_LARGE"],
    ["more than a document holds with what was there", { name: "E", message: text(14) }, "PAYLOAD_TOO_LARGE"],
  ])("%s", async (_, error, code) => {
    const { taskStateStore } = stage.adapter(server.url);
    await taskStateStore.create([draftOf("a", { input: text(3) }), draftOf("b")]);
    const a = await take(stage.adapter(server.url), "a");
    const b = await take(stage.adapter(server.url), "b");
    const settles: Settle[] = [
      { ...a.lease, outcome: { kind: "failed", status: "FAILED", error }, resend: false },
      { ...b.lease, outcome: { kind: "completed" }, resend: false },
    ];
    await expect(taskStateStore.settle(settles)).rejects.toMatchObject({
      failures: [{ code, unknown: false }, undefined],
    });
    const records = await taskStateStore.get(["a", "b"]);
    expect(records.map((record) => record?.status)).toEqual(["RUNNING", "COMPLETED"]);
  });
});

describe("times", () => {
  test("of a list may be further away than a date can be", async () => {
    const { taskStateStore } = stage.adapter(server.url);
    await taskStateStore.create([draftOf("a")]);
    const { MAX_SAFE_INTEGER: last, NEGATIVE_INFINITY: first } = Number;
    const lists = [{ createdBefore: last, createdAfter: first }, { createdAfter: last }, { createdBefore: first }];
    const found = await Promise.all(lists.map((query) => taskStateStore.list(query)));
    expect(found.map(({ items }) => items.length)).toEqual([1, 0, 0]);
  });

  test("with a part of a millisecond keep nothing from being found", async () => {
    const { taskStateStore } = stage.adapter(server.url);
    const createdAt = Date.now() - 999.5;
    await taskStateStore.create([draftOf("a", { createdAt, retentionMs: 60_000.25, deadlineAt: createdAt + 1e6 })]);
    const ask = { id: "a", series: 1, node: "gone", leaseMs: 50.5, maxAttempts: 3, owes: ["retain" as const] };
    const [claimed] = await taskStateStore.claim([ask]);
    if (claimed?.claimed !== true) throw new Error("the claim was refused");
    const sweep = () => taskStateStore.recover({ node: "n", leaseMs: 1, graceMs: 0.5, limit: 10 });
    const reasons = async () => (await sweep())?.items.map(({ reason }) => reason);
    await vi.waitFor(async () => expect(await reasons()).toEqual(["expired-lease"]));
    const retry = { kind: "retry", error: { name: "E", message: "m" }, delayMs: 50.5 } as const;
    await taskStateStore.settle([{ ...claimed.lease, outcome: retry, resend: false }]);
    await vi.waitFor(async () => expect(await reasons()).toEqual(["overdue"]));
    expect((await taskStateStore.list({ createdAfter: createdAt, createdBefore: createdAt + 2 })).items).toHaveLength(
      1,
    );
    expect((await taskStateStore.list({ createdAfter: createdAt + 1.5 })).items).toEqual([]);
    const { lease } = await vi.waitFor(() => take(stage.adapter(server.url), "a"));
    await taskStateStore.settle([{ ...lease, outcome: { kind: "completed" }, resend: false }]);
    await taskStateStore.retain("a", Date.now() + 60_000.5);
    const document = await stage.collection(admin, "tasks").findOne({ _id: "a" });
    const times = Object.entries(document ?? {}).filter(([field]) => field.endsWith("_at"));
    expect(times.filter(([, time]) => !(time instanceof Date))).toEqual([]);
    expect(times.map(([field]) => field)).toContain("expires_at");
  });
});

describe("hostile input", () => {
  test("is never an operator", async () => {
    const { taskStateStore, inbox } = stage.adapter(server.url);
    await taskStateStore.create([draftOf("a", { userId: "u" }), draftOf('{"$gt":""}', { userId: "$gt" })]);
    const operators = [{ $gt: "" }, { $ne: null }, ["a"], null, 7] as unknown as string[];
    for (const operator of operators) {
      for (const query of [{ userId: operator }, { type: operator }, { parentId: operator }, { rootId: operator }])
        await expect(taskStateStore.list(query)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
      const status = [operator] as unknown as TaskQuery["status"];
      await expect(taskStateStore.list({ status })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
      await expect(taskStateStore.get([operator])).rejects.toThrow();
      await expect(inbox.reserve("l", operator, { leaseMs: 1, node: "n" })).rejects.toThrow();
    }
    for (const createdAfter of [{ $gt: 0 }, "0"] as unknown as number[])
      await expect(taskStateStore.list({ createdAfter })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect((await taskStateStore.list({ userId: "$gt" })).items.map(({ id }) => id)).toEqual(['{"$gt":""}']);
    expect((await taskStateStore.list({})).items).toHaveLength(2);
  });

  test("of whatever characters stays apart", async () => {
    const { taskStateStore, eventStream } = stage.adapter(server.url);
    const ids = ["\ud800", "\ud801", "�", "\ud800\ud801", "a\0", "a", 'json:"\\ud800"', "json:a"];
    await taskStateStore.create(ids.map((id, at) => draftOf(id, { input: at, userId: id, key: id })));
    const records = await taskStateStore.get(ids);
    expect(records.map((record) => [record?.id, record?.input, record?.key])).toEqual(
      ids.map((id, at) => [id, at, id]),
    );
    for (const id of ids) expect((await taskStateStore.list({ userId: id })).items.map((one) => one.id)).toEqual([id]);
    await eventStream.append(ids.map((streamId, at) => ({ streamId, events: [eventOf(1, at, streamId)] })));
    for (const [at, id] of ids.entries()) expect((await eventStream.read(id)).events[0]?.data).toBe(at);
  });
});
