import { describe, expect, it } from "vitest";
import type { RecoverOptions, RecoverPage } from "../ports/task-state-store.ts";
import { claimOf, claimTask, draftOf, openStore } from "./store-fixture.ts";
import type { MemoryTaskStateStore } from "./task-state-store.ts";

const GRACE = 100;
const ask = (changes: Partial<RecoverOptions> = {}): RecoverOptions => ({
  node: "n1",
  leaseMs: 1_000,
  graceMs: GRACE,
  limit: 10,
  ...changes,
});

async function sweep(tasks: MemoryTaskStateStore, options: Partial<RecoverOptions> = {}) {
  const found: RecoverPage["items"][number][] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await tasks.recover(ask({ ...options, cursor }));
    if (page === undefined) throw new Error("another node sweeps");
    found.push(...page.items);
    cursor = page.next;
    pages++;
  } while (cursor !== undefined);
  return { pages, found, reasons: Object.fromEntries(found.map(({ record, reason }) => [record.id, reason])) };
}

describe("recover", () => {
  it("finds what was left behind, once per grace where it sends or touches, and nothing that merely waits", async () => {
    const { tasks, clock } = openStore();
    await tasks.create(
      ["unsent", "queued", "lost", "late", "owing", "cancel", "parent", "done"].map((id) => draftOf(id)),
    );
    await tasks.markSent([{ id: "queued", series: 1, send: 1 }]);
    await tasks.markSent([{ id: "cancel", series: 1, send: 1 }]);
    await claimTask(tasks, claimOf("lost", { leaseMs: 10 }));
    const settle = async (id: string, outcome: Parameters<typeof tasks.settle>[0][number]["outcome"], owes = true) => {
      const { lease } = await claimTask(tasks, claimOf(id, owes ? {} : { owes: [] }));
      if (id === "parent") await tasks.reserve([{ id, token: lease.token, key: "k", childId: "c" }]);
      await tasks.settle([{ id, token: lease.token, outcome, resend: false }]);
    };
    await settle("late", { kind: "retry", error: { name: "E", message: "m" }, delayMs: 0 });
    await settle("owing", { kind: "completed" });
    await settle("parent", { kind: "completed" });
    await settle("done", { kind: "completed" }, false);
    await tasks.requestCancel(["cancel"]);
    await clock.advance(GRACE - 1);
    expect((await sweep(tasks)).reasons).toEqual({});
    await clock.advance(1);
    const { found, reasons } = await sweep(tasks);
    expect(reasons).toEqual({
      unsent: "unsent",
      lost: "expired-lease",
      late: "overdue",
      owing: "duties",
      cancel: "cancel",
      parent: "children",
    });
    for (const { record } of found) expect(await tasks.get([record.id])).toEqual([record]);
    expect(found.find(({ record }) => record.id === "lost")?.record).toMatchObject({ sends: 2, sentAt: undefined });
    await clock.advance(GRACE - 1);
    expect(Object.keys((await sweep(tasks)).reasons).sort()).toEqual(["cancel", "owing"]);
    await clock.advance(1);
    expect(Object.keys((await sweep(tasks)).reasons)).toHaveLength(6);
  });

  it("is one node's at a time, and another's once that has stopped renewing it", async () => {
    const { tasks, clock } = openStore();
    const page = { items: [] };
    expect(await tasks.recover(ask({ node: "n1", leaseMs: 50 }))).toEqual(page);
    expect(await tasks.recover(ask({ node: "n2" }))).toBeUndefined();
    await clock.advance(40);
    expect(await tasks.recover(ask({ node: "n1", leaseMs: 50 }))).toEqual(page);
    await clock.advance(49);
    expect(await tasks.recover(ask({ node: "n2" }))).toBeUndefined();
    await clock.advance(1);
    expect(await tasks.recover(ask({ node: "n2" }))).toEqual(page);
    expect(await tasks.recover(ask({ node: "n1" }))).toBeUndefined();
  });

  it("goes in pages over everything once, although what it finds is mended and more comes meanwhile", async () => {
    const { tasks, clock } = openStore();
    const there = Array.from({ length: 25 }, (_, index) => `t${index}`);
    await tasks.create(there.map((id) => draftOf(id)));
    await clock.advance(GRACE);
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; ; pages++) {
      const page = await tasks.recover(ask({ limit: 4, cursor }));
      const found = page?.items.map(({ record }) => record) ?? [];
      expect(found.length).toBeLessThanOrEqual(4);
      seen.push(...found.map(({ id }) => id));
      // Half of them arrive.
      await tasks.markSent(
        found.filter((_, i) => i % 2 === 0).map(({ id, series, sends }) => ({ id, series, send: sends })),
      );
      await tasks.create([draftOf(`later${pages}`)]);
      cursor = page?.next;
      if (cursor === undefined) break;
    }
    expect(seen).toEqual(there);
  });

  it("comes to an end, however much is made meanwhile", async () => {
    const { tasks } = openStore();
    await tasks.create([draftOf("a"), draftOf("b"), draftOf("c")]);
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages === 0 || cursor !== undefined; pages++) {
      expect(pages).toBeLessThan(5);
      const page = await tasks.recover(ask({ graceMs: 0, limit: 1, cursor }));
      seen.push(...(page?.items.map(({ record }) => record.id) ?? []));
      await tasks.create([draftOf(`later${pages}`)]);
      cursor = page?.next;
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("returns to a page whose answer was lost", async () => {
    const { tasks, clock } = openStore();
    await tasks.create(["a", "b", "c", "d"].map((id) => draftOf(id, { notBefore: clock.now() })));
    await tasks.requestCancel(["a", "b", "c", "d"]);
    await clock.advance(GRACE);
    const first = await tasks.recover(ask({ limit: 2 }));
    const second = await tasks.recover(ask({ limit: 2, cursor: first?.next }));
    const again = await tasks.recover(ask({ limit: 2, cursor: first?.next }));
    expect(second?.items.map(({ record }) => record.id)).toEqual(["c", "d"]);
    expect(again).toEqual(second);
  });

  it("looks at a bounded number for a page, and at none that wait in a queue", async () => {
    const { tasks, clock, store } = openStore();
    const ids = Array.from({ length: 12_000 }, (_, index) => `t${index}`);
    await tasks.create(ids.map((id) => draftOf(id)));
    await tasks.requestCancel(["t11999"]);
    await clock.advance(GRACE);
    await tasks.claim(ids.slice(0, 11_000).map((id) => claimOf(id, { leaseMs: 1e9 })));
    await tasks.markSent(ids.slice(11_000).map((id) => ({ id, series: 1, send: 1 })));
    const { pages, reasons } = await sweep(tasks);
    expect({ pages, reasons }).toEqual({ pages: 2, reasons: { t11999: "cancel" } });
    let watched = 0;
    for (let entry = store.namespace("test").tasks.unsettled.first; entry !== undefined; entry = entry.next) watched++;
    expect(watched).toBe(11_001);
  });

  it("does not send what has expired", async () => {
    const { tasks, clock } = openStore();
    await tasks.create([draftOf("a")]);
    await tasks.retain("a", clock.now() + GRACE);
    await clock.advance(GRACE);
    expect((await sweep(tasks)).found).toEqual([]);
  });

  it("refuses a cursor that it did not give out", async () => {
    const { tasks } = openStore();
    await expect(tasks.recover(ask({ cursor: "x" }))).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  });
});
