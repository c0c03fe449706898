import { equal } from "../assert.ts";
import { storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

/** An expiry that a case waits out; until then even a slow store has done what is to be done before. */
const SOON_MS = 3_000;

export const expiryCases = [
  storeCase(
    "expiry",
    ["TS-20"],
    "a run's records go together when they are told to, and no others",
    async (t, store) => {
      for (const root of ["r", "other"]) {
        await store.finished(root, { kind: "completed" });
        await store.make(`${root}/c`, { rootId: root, parentId: root, key: "c", retentionMs: 1 });
      }
      await t.sleep(pastMs(SHORT_LEASE_MS));
      const all = ["r", "r/c", "other", "other/c"];
      equal(
        (await store.port.get(all)).map((record) => record?.id),
        all,
        "nothing goes by itself",
      );
      await store.port.retain("r", t.clock.now() + SOON_MS);
      await store.port.retain("missing", t.clock.now() + SOON_MS);
      equal(
        (await store.port.get(all)).map((record) => record?.id),
        all,
        "before its time",
      );
      await t.sleep(pastMs(SOON_MS));
      equal(
        (await store.port.get(all)).map((record) => record?.id),
        [undefined, undefined, "other", "other/c"],
        "get afterwards",
      );
      equal(
        new Set((await store.port.list({})).items.map(({ id }) => id)),
        new Set(["other", "other/c"]),
        "list afterwards",
      );
      equal((await store.port.list({ rootId: "r" })).items, [], "list of the run afterwards");
      await store.refused("r", "not-found");
      equal(await store.cancel("r/c"), undefined, "a cancel request afterwards");
      equal((await store.create(store.draft("r"))).kind, "created", "the id may be used again");
    },
  ),

  storeCase(
    "expiry-lifted",
    ["TS-20", "TS-15"],
    "an expiry can be put off and lifted; what is reopened is kept",
    async (t, store) => {
      const failed = { kind: "failed", status: "FAILED", error: errorInfo() } as const;
      const ids = ["lifted", "later", "reopened"];
      for (const id of ids) await store.finished(id, failed);
      for (const id of ids) await store.port.retain(id, t.clock.now() + SOON_MS);
      await store.port.retain("lifted", undefined);
      await store.port.retain("later", t.clock.now() + 60_000);
      equal(
        (await store.port.reopen({ id: "reopened", series: 1 }))?.expiresAt,
        undefined,
        "expiry of what was reopened",
      );
      await t.sleep(pastMs(SOON_MS));
      for (const id of ids) equal((await store.get(id))?.id, id, `${id} is still there`);
    },
  ),

  storeCase(
    "expiry-of-one",
    ["TS-20", "TS-11"],
    "a root that owes `retain` and has no sub-tasks is told when to go in the step that ends it",
    async (t, store) => {
      const alone = await store.finished("alone", { kind: "completed" }, ["retain", "announce"]);
      equal(alone.duties, ["announce"], "what it owes");
      equal(alone.expiresAt, (alone.finishedAt ?? 0) + alone.retentionMs, "when it goes");

      await store.make("child", { rootId: "root", parentId: "root", key: "child" });
      const { lease } = await store.take("child", { owes: ["retain"] });
      const child = await store.end(lease, { kind: "completed" });
      equal([child.duties, child.expiresAt], [["retain"], undefined], "a sub-task goes with its root");

      const parent = await store.parent("p", ["k"], { owes: ["retain"] });
      await store.childEnded("p", "k", "COMPLETED");
      const family = await store.end(parent, { kind: "completed" });
      equal([family.duties, family.expiresAt], [["retain"], undefined], "a root with sub-tasks tells all of them");
      await store.port.retain("p", t.clock.now() + 60_000);
      await store.done("p", ["retain"]);
      const told = await store.record("p");
      equal([told.duties, told.expiresAt !== undefined], [[], true], "told");
    },
  ),
];
