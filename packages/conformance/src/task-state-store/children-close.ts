import { summariseChildren, type TerminalStatus } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";
import { childIdOf, errorInfo } from "./store.ts";

const MIXED: readonly TerminalStatus[] = [
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "DEAD_LETTER",
  "COMPLETED_WITH_ERRORS",
  "COMPLETED",
];

export const childrenCloseCases = [
  storeCase("children-close", ["TS-13"], "the last sub-task closes its parent", async (_t, store) => {
    const good = await store.parent("good", ["k", "l"], { owes: ["announce"] });
    await store.end(good, { kind: "completed", result: "kept" });
    const open = await store.childEnded("good", "l", "COMPLETED");
    equal([open?.status, open?.phase], ["RUNNING", "awaiting-children"], "with one open");
    const closed = await store.childEnded("good", "k", "COMPLETED");
    equal([closed?.status, closed?.phase, closed?.result], ["COMPLETED", undefined, "kept"], "with none open");
    equal(closed?.duties, ["announce"], "what it owes then");

    const keys = MIXED.map((_, at) => `k${at}`);
    await store.end(await store.parent("mixed", keys), { kind: "completed" });
    for (const [at, status] of MIXED.entries()) await store.childEnded("mixed", `k${at}`, status);
    const mixed = await store.record("mixed");
    equal(mixed.status, "COMPLETED_WITH_ERRORS", "a parent whose sub-tasks did not all complete");
    equal(summariseChildren(mixed.children), { total: 6, open: 0, completed: 2, failed: 4 }, "the summary");

    const failing = await store.parent("failing", ["k", "l"]);
    await store.end(failing, { kind: "failed", status: "DEAD_LETTER", error: errorInfo() });
    equal((await store.childEnded("failing", "k", "COMPLETED"))?.status, "RUNNING", "a closing parent with one open");
    equal(
      (await store.childEnded("failing", "l", "CANCELLED"))?.status,
      "DEAD_LETTER",
      "a closing parent with none open",
    );
  }),

  storeCase(
    "children-early",
    ["TS-13"],
    "sub-tasks that end while the parent runs leave it running",
    async (_t, store) => {
      const lease = await store.parent("p", ["k"]);
      const told = await store.childEnded("p", "k", "COMPLETED");
      equal(
        [told?.status, told?.phase, told?.lease?.token],
        ["RUNNING", undefined, lease.token],
        "while its handler runs",
      );
      equal((await store.end(lease, { kind: "completed" })).status, "COMPLETED", "then its own settle ends it");

      const failed = await store.parent("q", ["k"]);
      await store.childEnded("q", "k", "FAILED");
      equal((await store.end(failed, { kind: "completed" })).status, "COMPLETED_WITH_ERRORS", "with a failed sub-task");
    },
  ),

  storeCase("children-strangers", ["TS-13"], "who is not the reserved sub-task changes nothing", async (_t, store) => {
    await store.end(await store.parent("p", ["k"]), { kind: "completed" });
    const before = await store.record("p");
    equal(await store.childEnded("p", "other", "COMPLETED"), before, "an unknown key");
    equal(await store.childEnded("p", "k", "COMPLETED", { id: "stranger" }), before, "another id under the key");
    equal(await store.childEnded("p", "k", "COMPLETED", { series: 0 }), before, "an older series");
    equal(await store.childEnded("missing", "k", "COMPLETED"), undefined, "a parent that is not there");
    equal(await store.record("p"), before, "the record afterwards");
  }),

  storeCase(
    "children-close-once",
    ["TS-13"],
    "told from everywhere at once and over again, a parent closes once",
    async (t, store) => {
      const stores = [store, ...(await openStores(t, 4))];
      const keys = Array.from({ length: 8 }, (_, at) => `k${at}`);
      for (let round = 0; round < t.size(50, 8); round++) {
        const id = `r${round}`;
        await store.end(await store.parent(id, keys, { owes: ["announce"] }), { kind: "completed" });
        const told = await Promise.all(
          stores.flatMap((one) => keys.map((key) => one.childEnded(id, key, "COMPLETED"))),
        );
        equal(
          told.some((record) => record?.status === "COMPLETED" && record.duties.length === 1),
          true,
          "somebody is told what is owed",
        );
        const closed = await store.record(id);
        equal([closed.status, closed.duties], ["COMPLETED", ["announce"]], "the record");
        await store.done(id, ["announce"]);
        const done = await store.record(id);
        const batch = keys.map(
          (key) => ({ parentId: id, key, childId: childIdOf(id, key), status: "COMPLETED", series: 1 }) as const,
        );
        await store.port.childEnded(batch);
        equal(await store.record(id), done, "told once more");
      }
    },
  ),
];
