import { describe, expect, it } from "vitest";
import type { IntermodalError } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";
import { claimOf, claimTask, draftOf, openStore, runTask } from "./store-fixture.ts";

type Loose = { [key: string]: Loose } & { push(item: unknown): void };
const loosen = (record: unknown) => record as Loose;

describe("isolation", () => {
  it("what a caller does to its input or result afterwards changes nothing", async () => {
    const { tasks } = openStore();
    const input = { deep: { list: [1] } };
    const creating = tasks.create([draftOf("a", { input })]);
    input.deep.list.push(2);
    await creating;
    input.deep.list.push(3);
    const { lease, record } = await claimTask(tasks, claimOf("a"));
    expect(record.input).toEqual({ deep: { list: [1] } });
    const result = { ok: true };
    const settling = tasks.settle([
      { id: "a", token: lease.token, outcome: { kind: "completed", result }, resend: false },
    ]);
    result.ok = false;
    await settling;
    const [stored] = await tasks.get(["a"]);
    expect(stored?.result).toEqual({ ok: true });
  });

  it("what a caller does to a returned record changes nothing", async () => {
    const { tasks } = openStore();
    await tasks.create([draftOf("a", { input: { list: [{ x: 1 }] } })]);
    const owes = ["announce" as const];
    const { lease } = await claimTask(tasks, claimOf("a", { owes }));
    owes.pop();
    await tasks.reserve([{ id: "a", token: lease.token, key: "k", childId: "a/k" }]);
    const before = (await tasks.get(["a"]))[0] as TaskRecord;
    const spoilt = loosen((await tasks.get(["a"]))[0]);
    Object.assign(spoilt, { status: "FAILED", version: 99 });
    expect(() => Object.assign(spoilt.children?.k as Loose, { status: "FAILED" })).toThrow(TypeError);
    Object.assign(spoilt.children as Loose, { k: undefined });
    Object.assign(spoilt.lease as Loose, { token: 99 });
    spoilt.input?.list?.push(1);
    Object.assign(spoilt.input?.list?.[0] as Loose, { x: 2 });
    spoilt.owes?.push("announce");
    spoilt.duties?.push("announce");
    expect((await tasks.get(["a"]))[0]).toEqual(before);
    expect(before.owes).toEqual(["announce"]);
  });

  it("keys like __proto__ are data", async () => {
    const { tasks } = openStore();
    const input = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"list":[{"__proto__":[3]}]}') as JsonValue;
    await tasks.create([draftOf("__proto__", { input }), draftOf("constructor")]);
    const [record, other, none] = await tasks.get(["__proto__", "constructor", "toString"]);
    expect(JSON.stringify(record?.input)).toBe(JSON.stringify(input));
    expect(other?.id).toBe("constructor");
    expect(none).toBeUndefined();
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect((await tasks.create([draftOf("__proto__", { input })]))[0]?.kind).toBe("existing");
  });

  it("namespaces are apart", async () => {
    const { tasks, connect } = openStore();
    await tasks.create([draftOf("a")]);
    expect(await connect("other").tasks.get(["a"])).toEqual([undefined]);
    expect(await connect("test").tasks.get(["a"])).toMatchObject([{ id: "a" }]);
  });
});

describe("payloads", () => {
  const tooLong = { text: "x".repeat(1_000) };

  it("that are too long are refused one by one", async () => {
    const { tasks } = openStore({ maxPayloadBytes: 100 });
    const drafts = [draftOf("a"), draftOf("b", { input: tooLong }), draftOf("c")];
    const error = await tasks.create(drafts).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "BatchError", code: "PAYLOAD_TOO_LARGE" });
    expect((error as { failures: unknown[] }).failures.map((failure) => (failure as IntermodalError)?.code)).toEqual([
      undefined,
      "PAYLOAD_TOO_LARGE",
      undefined,
    ]);
    expect((await tasks.get(["a", "b", "c"])).map((record) => record?.id)).toEqual(["a", undefined, "c"]);
  });

  it("that are too long or no JSON are refused wherever they come in, and change nothing", async () => {
    const { tasks } = openStore({ maxPayloadBytes: 100 });
    const refused = { code: "PAYLOAD_TOO_LARGE", name: "IntermodalError" };
    await tasks.create([draftOf("a")]);
    const { lease } = await claimTask(tasks, claimOf("a"));
    const { token } = lease;
    const [before] = await tasks.get(["a"]);
    const outcome = { kind: "completed", result: tooLong } as const;
    await expect(tasks.settle([{ id: "a", token, outcome, resend: false }])).rejects.toMatchObject(refused);
    await expect(tasks.renew([{ id: "a", token, leaseMs: 1, progress: tooLong }])).rejects.toMatchObject(refused);
    await expect(tasks.reopen({ id: "a", series: 1, input: tooLong })).rejects.toMatchObject(refused);
    await expect(tasks.claim([claimOf("z", { draft: draftOf("z", { input: tooLong }) })])).rejects.toMatchObject(
      refused,
    );
    const circular: { self?: JsonValue } = {};
    circular.self = circular as JsonValue;
    const input = circular as JsonValue;
    await expect(tasks.create([draftOf("y", { input })])).rejects.toMatchObject({ code: "NOT_SERIALIZABLE" });
    expect(await tasks.get(["a", "z", "y"])).toEqual([before, undefined, undefined]);
  });

  it("may be as long as declared, to the byte", async () => {
    const { tasks } = openStore({ maxPayloadBytes: 100 });
    // Two quotes; é takes two bytes, a control character six.
    const exact = `${"é".repeat(40)}\u0001${"x".repeat(12)}`;
    expect(new TextEncoder().encode(JSON.stringify(exact)).length).toBe(100);
    await tasks.create([draftOf("a", { input: exact })]);
    expect((await tasks.get(["a"]))[0]?.input).toBe(exact);
    await expect(tasks.create([draftOf("b", { input: `${exact}x` })])).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
  });
});

describe("claims", () => {
  it("give one lease to any number of claimers at once", async () => {
    const { tasks } = openStore();
    await tasks.create([draftOf("a")]);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => tasks.claim([claimOf("a", { node: `n${i}` })])),
    );
    expect(outcomes.flat().filter((outcome) => outcome?.claimed)).toHaveLength(1);
    expect((await tasks.get(["a"]))[0]?.attempts).toBe(1);
  });

  it("use the store's clock, let others in when the lease has run out, and refuse the old token then", async () => {
    const { tasks, clock } = openStore();
    await tasks.create([draftOf("a")]);
    const first = await claimTask(tasks, claimOf("a"));
    expect(first.lease.expiresAt).toBe(clock.now() + 1_000);
    await clock.advance(999);
    expect(await tasks.claim([claimOf("a")])).toMatchObject([{ claimed: false, reason: "running", retryInMs: 1 }]);
    await clock.advance(1);
    const second = await claimTask(tasks, claimOf("a", { node: "n2" }));
    expect(second.lease).toMatchObject({ token: first.lease.token + 1, leaseMs: 2_000 });
    expect(await tasks.renew([{ id: "a", token: 1, leaseMs: 1 }])).toEqual([{ held: false }]);
    expect((await tasks.get(["a"]))[0]).toEqual(second.record);
  });

  it("make the record a message carries", async () => {
    const { tasks } = openStore();
    const input = { n: 1 };
    const { record } = await claimTask(tasks, claimOf("a", { draft: draftOf("a", { input }) }));
    input.n = 2;
    expect(record).toMatchObject({ status: "RUNNING", input: { n: 1 } });
    expect(await tasks.get(["a"])).toEqual([record]);
  });
});

describe("expiry", () => {
  it("hides a run at the moment it was told, from every read and every step", async () => {
    const { tasks, clock } = openStore();
    await runTask(tasks, draftOf("a"));
    await tasks.create([draftOf("a/x", { rootId: "a", parentId: "a", key: "x" })]);
    await tasks.create([draftOf("b")]);
    await tasks.retain("a", clock.now() + 100);
    await clock.advance(99);
    expect((await tasks.list({})).items).toHaveLength(3);
    await clock.advance(1);
    expect((await tasks.list({})).items.map(({ id }) => id)).toEqual(["b"]);
    expect((await tasks.list({ rootId: "a" })).items).toEqual([]);
    expect((await tasks.list({ parentId: "a" })).items).toEqual([]);
    expect(await tasks.get(["a", "a/x"])).toEqual([undefined, undefined]);
    expect(await tasks.claim([claimOf("a")])).toMatchObject([{ claimed: false, reason: "not-found" }]);
    expect(await tasks.requestCancel(["a"])).toEqual([undefined]);
    const end = { parentId: "a", key: "x", childId: "a/x", status: "FAILED", series: 1 } as const;
    expect(await tasks.childEnded([end])).toEqual([undefined]);
    expect((await tasks.create([draftOf("a")]))[0]?.kind).toBe("created");
  });

  it("can be lifted before it comes", async () => {
    const { tasks, clock } = openStore();
    await runTask(tasks, draftOf("a"));
    await tasks.retain("a", clock.now() + 100);
    await tasks.retain("a", undefined);
    await clock.advance(1_000);
    expect(await tasks.get(["a"])).toMatchObject([{ id: "a", expiresAt: undefined }]);
  });

  it("removes what nobody asks for, in the course of use", async () => {
    const { tasks, clock, store } = openStore();
    for (let index = 0; index < 50; index++) {
      await runTask(tasks, draftOf(`old${index}`, { userId: "u" }));
      await tasks.retain(`old${index}`, clock.now() + 1);
    }
    await clock.advance(1);
    for (let index = 0; index < 60; index++) await tasks.create([draftOf(`new${index}`)]);
    const { indexes } = store.namespace("test").tasks;
    expect(indexes.all.size).toBe(60);
    expect(indexes.user("u")).toBeUndefined();
  });
});

describe("beyond the cap of finished tasks", () => {
  it("the runs finished longest ago go whole, what is open or owes something stays", async () => {
    const { tasks } = openStore({ maxFinishedTasks: 3 });
    await tasks.create([draftOf("open")]);
    await tasks.create([draftOf("owing")]);
    const { lease } = await claimTask(tasks, claimOf("owing"));
    await tasks.settle([{ id: "owing", token: lease.token, outcome: { kind: "completed" }, resend: false }]);
    await tasks.create([draftOf("a/x", { rootId: "a", parentId: "a", key: "x" })]);
    await runTask(tasks, draftOf("a"));
    await runTask(tasks, draftOf("b"));
    const ids = async () => (await tasks.list({})).items.map(({ id }) => id).sort();
    expect(await ids()).toEqual(["a", "a/x", "b", "open", "owing"]);
    await runTask(tasks, draftOf("c"));
    expect(await ids()).toEqual(["b", "c", "open", "owing"]);
    await tasks.dutiesDone([{ id: "owing", series: 1, duties: ["announce"] }]);
    await runTask(tasks, draftOf("d"));
    expect(await ids()).toEqual(["c", "d", "open", "owing"]);
  });

  it("a run that is opened again is not finished any more", async () => {
    const { tasks } = openStore({ maxFinishedTasks: 1 });
    await tasks.create([draftOf("a")]);
    await tasks.withdraw([{ id: "a", series: 1, send: 1 }]);
    expect((await tasks.create([draftOf("a", { userId: "u", createdAt: 5 })]))[0]?.kind).toBe("reopened");
    await runTask(tasks, draftOf("b"));
    await runTask(tasks, draftOf("c"));
    expect((await tasks.list({})).items.map(({ id }) => id)).toEqual(["c", "a"]);
    expect((await tasks.list({ userId: "u" })).items.map(({ id }) => id)).toEqual(["a"]);
  });
});

describe("changes", () => {
  it("tells who listens what has ended, gathered, and nobody who is cut off, dead or gone", async () => {
    const { tasks, connect } = openStore();
    const told: Record<string, (readonly string[])[]> = { up: [], cut: [], killed: [], closed: [], stopped: [] };
    const clients = Object.fromEntries(Object.keys(told).map((name) => [name, connect()]));
    const stops = Object.keys(told).map((name) => clients[name]?.tasks.changes((ids) => told[name]?.push(ids)));
    clients.cut?.connection.cut();
    clients.killed?.connection.kill();
    clients.closed?.connection.close();
    stops[4]?.();
    await tasks.create([draftOf("a"), draftOf("b"), draftOf("c")]);
    const claims = await tasks.claim([claimOf("a"), claimOf("b"), claimOf("c")]);
    const settles = claims.flatMap((claim) =>
      claim?.claimed ? [{ ...claim.lease, outcome: { kind: "completed" } as const, resend: false }] : [],
    );
    await tasks.settle(settles.slice(0, 2));
    expect(told).toEqual({ up: [["a", "b"]], cut: [], killed: [], closed: [], stopped: [] });
    clients.cut?.connection.mend();
    await tasks.settle(settles.slice(2));
    expect(told.up).toEqual([["a", "b"], ["c"]]);
    expect(told.cut).toEqual([["c"]]);
  });

  it("tells nothing once the adapter is closed", () => {
    const { tasks, connection } = openStore();
    connection.close();
    expect(() => tasks.changes(() => {})()).not.toThrow();
  });
});

describe("the connection", () => {
  it("decides what every method rejects with", async () => {
    const { tasks, connection } = openStore();
    const calls = () => [
      tasks.create([]),
      tasks.get([]),
      tasks.list({}),
      tasks.markSent([]),
      tasks.withdraw([]),
      tasks.retain("a", 1),
      tasks.claim([]),
      tasks.renew([]),
      tasks.reserve([]),
      tasks.settle([]),
      tasks.childEnded([]),
      tasks.requestCancel([]),
      tasks.reopen({ id: "a", series: 1 }),
      tasks.reopenChild({ parentId: "a", key: "k", childId: "c", childSeries: 2 }),
      tasks.recover({ node: "n", leaseMs: 1, graceMs: 1, limit: 1 }),
      tasks.dutiesDone([]),
    ];
    connection.cut();
    for (const call of calls()) await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
    connection.mend();
    for (const call of calls()) await call;
    connection.loseAnswers(1);
    await expect(tasks.create([draftOf("a")])).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    expect(await tasks.get(["a"])).toMatchObject([{ status: "QUEUED" }]);
    connection.close();
    for (const call of calls()) await expect(call).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("families", () => {
  it("are closed by the last sub-task to end, told any number of times", async () => {
    const { tasks } = openStore();
    await tasks.create([draftOf("a")]);
    const { lease } = await claimTask(tasks, claimOf("a"));
    const keys = ["x", "__proto__"];
    await tasks.reserve(keys.map((key) => ({ id: "a", token: lease.token, key, childId: `a/${key}` })));
    await tasks.settle([{ id: "a", token: lease.token, outcome: { kind: "completed" }, resend: false }]);
    const ends = keys.map(
      (key) => ({ parentId: "a", key, childId: `a/${key}`, status: "COMPLETED", series: 1 }) as const,
    );
    const [first, last, again] = await tasks.childEnded([...ends, ...ends]);
    expect([first?.status, last?.status]).toEqual(["RUNNING", "COMPLETED"]);
    expect(again).toEqual(last);
    await tasks.dutiesDone([{ id: "a", series: 1, duties: ["announce"] }]);
    expect(await tasks.reopen({ id: "a", series: 1 })).toBeUndefined();
    expect(await tasks.reopen({ id: "a", series: 1, input: 2 })).toMatchObject({ series: 2, epoch: 2, children: {} });
    expect(await tasks.reopen({ id: "a", series: 1, input: 2 })).toBeUndefined();
  });
});
