import { describe, expect, it } from "vitest";
import type { TaskQuery } from "../ports/task-state-store.ts";
import { claimOf, claimTask, draftOf, openStore, runTask } from "./store-fixture.ts";
import type { MemoryTaskStateStore } from "./task-state-store.ts";

async function pages(tasks: MemoryTaskStateStore, query: TaskQuery, between = async () => {}): Promise<string[][]> {
  const found: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await tasks.list({ ...query, cursor });
    found.push(page.items.map(({ id }) => id));
    cursor = page.next;
    await between();
  } while (cursor !== undefined);
  return found;
}

const ids = async (tasks: MemoryTaskStateStore, query: TaskQuery) => (await pages(tasks, query)).flat();

/** Four roots a second apart, the first with two sub-tasks, made out of order. */
async function populated() {
  const opened = openStore();
  const { tasks } = opened;
  await tasks.create([
    draftOf("c", { createdAt: 3_000, userId: "u1", type: "other" }),
    draftOf("a", { createdAt: 1_000, userId: "u1" }),
    draftOf("a/x", { createdAt: 2_500, rootId: "a", parentId: "a", key: "x", userId: "u1" }),
    draftOf("b", { createdAt: 2_000, userId: "u2" }),
    draftOf("a/x/y", { createdAt: 2_600, rootId: "a", parentId: "a/x", key: "y" }),
    draftOf("d", { createdAt: 3_000 }),
  ]);
  await claimTask(tasks, claimOf("b"));
  const { lease } = await claimTask(tasks, claimOf("c"));
  const outcome = { kind: "failed", status: "FAILED", error: { name: "E", message: "m" } } as const;
  await tasks.settle([{ id: "c", token: lease.token, outcome, resend: false }]);
  return opened;
}

describe("list", () => {
  it.each<[TaskQuery, string[]]>([
    [{}, ["d", "c", "a/x/y", "a/x", "b", "a"]],
    [{ userId: "u1" }, ["c", "a/x", "a"]],
    [{ userId: "nobody" }, []],
    [{ parentId: "a" }, ["a/x"]],
    [{ parentId: "nobody" }, []],
    [{ rootId: "a" }, ["a/x/y", "a/x", "a"]],
    [{ rootId: "a/x" }, []],
    [{ status: "QUEUED" }, ["d", "a/x/y", "a/x", "a"]],
    [{ status: ["FAILED", "RUNNING"] }, ["c", "b"]],
    [{ status: ["FAILED", "FAILED", "COMPLETED"] }, ["c"]],
    [{ status: [] }, []],
    [{ type: "other" }, ["c"]],
    [{ type: "other", status: "QUEUED" }, []],
    [{ userId: "u1", status: "QUEUED" }, ["a/x", "a"]],
    [{ rootId: "a", userId: "u1", createdAfter: 2_000 }, ["a/x"]],
    [{ createdAfter: 2_000, createdBefore: 3_000 }, ["a/x/y", "a/x", "b"]],
  ])("%j finds %j, in pages of any size", async (query, expected) => {
    const { tasks } = await populated();
    expect(await ids(tasks, query)).toEqual(expected);
    for (const limit of [1, 2, 3]) {
      const found = await pages(tasks, { ...query, limit });
      expect(found.flat()).toEqual(expected);
      expect(found.length).toBe(Math.max(1, Math.ceil(expected.length / limit)));
    }
  });

  it.each<TaskQuery>([{}, { userId: "u" }, { status: ["QUEUED", "RUNNING", "COMPLETED"] }])(
    "neither repeats nor hides what was there while others are written: %j",
    async (query) => {
      const { tasks, clock } = openStore();
      const there = Array.from({ length: 40 }, (_, index) => `t${String(index % 7)}-${index}`);
      await tasks.create(there.map((id, index) => draftOf(id, { createdAt: 1_000 + (index % 5), userId: "u" })));
      let count = 0;
      const found = await pages(tasks, { ...query, limit: 3 }, async () => {
        count++;
        // Newer, older and in between; and some of those that are there change or go on.
        await tasks.create([
          draftOf(`new${count}`, { createdAt: 2_000, userId: "u" }),
          draftOf(`old${count}`, { createdAt: count, userId: "u" }),
          draftOf(`t-between${count}`, { createdAt: 1_002, userId: "u" }),
        ]);
        await tasks.claim([claimOf(there[count % there.length] as string, { leaseMs: 1 })]);
        await clock.advance(1);
      });
      const seen = found.flat();
      expect(new Set(seen).size).toBe(seen.length);
      expect(there.filter((id) => !seen.includes(id))).toEqual([]);
    },
  );

  it("goes on from a record that has gone meanwhile", async () => {
    const { tasks, clock } = await populated();
    const { next } = await tasks.list({ limit: 2 });
    await tasks.retain("c", clock.now());
    expect((await tasks.list({ cursor: next })).items.map(({ id }) => id)).toEqual(["a/x/y", "a/x", "b", "a"]);
  });

  it("finds each once, however often it changed its status", async () => {
    const { tasks, clock } = openStore();
    await tasks.create([draftOf("a")]);
    for (let round = 0; round < 100; round++) {
      const { lease } = await claimTask(tasks, claimOf("a"));
      await tasks.settle([{ id: "a", token: lease.token, outcome: { kind: "released" }, resend: false }]);
      if (round % 30 === 0) expect(await ids(tasks, { status: ["QUEUED", "RUNNING"] })).toEqual(["a"]);
    }
    await clock.advance(1);
    await runTask(tasks, draftOf("b"));
    expect(await ids(tasks, { status: "QUEUED" })).toEqual(["a"]);
    expect(await ids(tasks, { status: "RUNNING" })).toEqual([]);
  });

  it("passes on ids of any characters in its cursor", async () => {
    const { tasks } = openStore();
    const hostile = ["a", "\ud800", "😀", '"],[', "\u0000", "ÿ/+="];
    await tasks.create(hostile.map((id) => draftOf(id)));
    const found = await pages(tasks, { limit: 1 });
    expect(found.flat().sort()).toEqual([...hostile].sort());
    const { next } = await tasks.list({ limit: 1 });
    expect(next).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it.each(["", "x", "%%%", "bnVsbA", "W10", "WzEsMl0", "😀"])("refuses the cursor %j", async (cursor) => {
    const { tasks } = openStore();
    await expect(tasks.list({ cursor })).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses the limit %d", async (limit) => {
    const { tasks } = openStore();
    await expect(tasks.list({ limit })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
  });
});
