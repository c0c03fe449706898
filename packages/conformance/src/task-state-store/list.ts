import type { TaskQuery } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { storeCase } from "./declare.ts";
import { errorInfo, type Store } from "./store.ts";

async function ids(store: Store, query: TaskQuery): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.port.list({ ...query, cursor });
    if (query.limit !== undefined)
      assert(page.items.length <= query.limit, `a page holds at most ${query.limit} records`);
    found.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

export const listCases = [
  storeCase(
    "list-filters",
    ["TS-16"],
    "list filters by status, type, user, parent, run and time, newest first",
    async (t, store) => {
      const at = t.clock.now() - 10_000;
      await store.make("r1", { createdAt: at, userId: "u1" });
      await store.make("c1", { createdAt: at + 1, parentId: "r1", rootId: "r1", key: "k", userId: "u1" });
      await store.make("c2", { createdAt: at + 2, parentId: "r1", rootId: "r1", key: "l", userId: "u2" });
      await store.make("r2", { createdAt: at + 3, type: "conformance.other", userId: "u2" });
      await store.make("r3", { createdAt: at + 4 });
      await store.end((await store.take("r3")).lease, { kind: "completed" });
      await store.end((await store.take("r2")).lease, { kind: "failed", status: "FAILED", error: errorInfo() });
      await store.take("c2");
      for (const [query, expected] of [
        [{}, ["r3", "r2", "c2", "c1", "r1"]],
        [{ status: "QUEUED" }, ["c1", "r1"]],
        [{ status: ["RUNNING", "FAILED"] }, ["r2", "c2"]],
        [{ status: [] }, []],
        [{ type: "conformance.other" }, ["r2"]],
        [{ userId: "u1" }, ["c1", "r1"]],
        [{ parentId: "r1" }, ["c2", "c1"]],
        [{ rootId: "r1" }, ["c2", "c1", "r1"]],
        [{ createdAfter: at + 2 }, ["r3", "r2", "c2"]],
        [{ createdBefore: at + 2 }, ["c1", "r1"]],
        [{ createdAfter: at + 1, createdBefore: at + 4, userId: "u2" }, ["r2", "c2"]],
        [{ rootId: "r1", status: "QUEUED", userId: "u1", type: "conformance.task" }, ["c1", "r1"]],
        [{ userId: "nobody" }, []],
      ] as const) {
        equal(await ids(store, query), expected, `list of ${JSON.stringify(query)}`);
        equal(await ids(store, { ...query, limit: 1 }), expected, `list of ${JSON.stringify(query)}, one by one`);
      }
      const { items, next } = await store.port.list({ rootId: "r1", limit: 3 });
      equal(
        [items, next],
        [[await store.record("c2"), await store.record("c1"), await store.record("r1")], undefined],
        "whole records",
      );
    },
  ),

  storeCase(
    "list-pages",
    ["TS-16"],
    "pages neither repeat nor hide a record while others are written",
    async (t, store) => {
      const at = t.clock.now() - 10_000;
      const count = 43;
      // Many share a time of creation: the id decides between them.
      const all = Array.from({ length: count }, (_, n) =>
        store.draft(`t${n}`, { createdAt: at + Math.floor(n / 6), userId: "u" }),
      );
      await store.port.create(all);
      const stay = (n: number) => n % 3 !== 0;
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; ; page++) {
        const { items, next } = await store.port.list({ userId: "u", status: "QUEUED", limit: 5, cursor });
        seen.push(...items.map(({ id }) => id));
        if (next === undefined) break;
        cursor = next;
        // Between two pages: newer and older ones come, some leave the filter, others are written.
        await store.make(`new${page}`, { userId: "u" });
        await store.make(`old${page}`, { userId: "u", createdAt: at - 1_000 - page });
        for (let n = page; n < count; n += 4) {
          if (!stay(n)) await store.claim(`t${n}`);
          else await store.port.markSent([{ id: `t${n}`, series: 1, send: 1 }]);
        }
      }
      equal(new Set(seen).size, seen.length, "no record comes twice");
      for (let n = 0; n < count; n++) if (stay(n)) assert(seen.includes(`t${n}`), `t${n} was there all along`);
      const order = seen.filter((id) => id.startsWith("t")).map((id) => Math.floor(Number(id.slice(1)) / 6));
      equal(
        order,
        order.toSorted((a, b) => b - a),
        "newest first",
      );
    },
  ),

  storeCase(
    "list-limits",
    ["TS-16"],
    "a page holds 100 records unless asked otherwise; a foreign cursor is refused",
    async (_t, store) => {
      const drafts = Array.from({ length: 120 }, (_, n) => store.draft(`t${n}`));
      await store.port.create(drafts);
      const first = await store.port.list({});
      equal([first.items.length, first.next !== undefined], [100, true], "the first page");
      const second = await store.port.list({ cursor: first.next });
      equal([second.items.length, second.next], [20, undefined], "the last page");
      equal(new Set([...first.items, ...second.items].map(({ id }) => id)).size, 120, "different records");
      for (const cursor of ["nonsense", "\0", '{"$gt":""}']) {
        await rejects(`the cursor ${JSON.stringify(cursor)}`, "CURSOR_INVALID", () => store.port.list({ cursor }));
      }
    },
  ),
];
