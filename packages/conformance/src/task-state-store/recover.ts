import { assert, equal } from "../assert.ts";
import { errorInfo, openStore, pastMs, SHORT_LEASE_MS, storeCase } from "./store.ts";

/** What is younger than this is left alone by the sweeps of these cases. */
const GRACE_MS = SHORT_LEASE_MS;
const RETRY = { kind: "retry", error: errorInfo(), delayMs: 100 } as const;

export const recoverCases = [
  storeCase(
    "recover-reasons",
    ["TS-18"],
    "a sweep finds what was left behind, each for its reason",
    async (t, store) => {
      await store.make("unsent");
      await store.make("dead-holder");
      await store.make("overdue");
      for (const id of ["dead-holder", "overdue"]) await store.port.markSent([{ id, series: 1, send: 1 }]);
      await store.take("dead-holder", { leaseMs: 100 });
      await store.end((await store.take("overdue")).lease, RETRY);
      await store.finished("owing", { kind: "completed" }, ["announce"]);
      await store.end(await store.parent("closing", ["k"]), { kind: "failed", status: "FAILED", error: errorInfo() });
      await t.sleep(pastMs(GRACE_MS) + 200);
      const found = await store.sweep("sweeper", GRACE_MS);
      equal(
        found,
        new Map([
          ["unsent", "unsent"],
          ["dead-holder", "expired-lease"],
          ["overdue", "overdue"],
          ["owing", "duties"],
          ["closing", "duties"],
        ]),
        "what is found, and why",
      );
      for (const id of ["unsent", "dead-holder", "overdue"]) {
        const { sends, sentAt, series } = await store.record(id);
        equal([sends, sentAt, series], [2, undefined, 1], `the next send of ${id} was begun`);
      }
      const again = await store.sweep("sweeper", GRACE_MS);
      for (const id of ["unsent", "dead-holder", "overdue"])
        assert(!again?.has(id), `${id}, whose send has just begun, is left alone`);
      await t.sleep(pastMs(GRACE_MS));
      const later = await store.sweep("sweeper", GRACE_MS);
      equal(
        new Set(later?.keys()),
        new Set(["unsent", "dead-holder", "overdue", "owing", "closing"]),
        "until they are mended they come back",
      );
      await store.done("owing", ["announce"]);
      await store.take("dead-holder");
      await store.take("overdue");
      await store.port.markSent([{ id: "unsent", series: 1, send: 3 }]);
      await store.childEnded("closing", "k", "CANCELLED");
      await t.sleep(pastMs(GRACE_MS));
      equal(await store.sweep("sweeper", GRACE_MS), new Map(), "once mended they don't");
    },
  ),

  storeCase(
    "recover-children",
    ["TS-18"],
    "a parent that waits for sub-tasks untouched comes back",
    async (t, store) => {
      await store.end(await store.parent("p", ["k"]), { kind: "completed" });
      const seen = new Set<string>();
      await t.until("a sweep finds the parent", async () => {
        for (const [id, reason] of (await store.sweep("sweeper", GRACE_MS)) ?? []) seen.add(`${id} ${reason}`);
        return seen.size > 0;
      });
      equal(seen, new Set(["p children"]), "what is found, and why");
      const { sends, phase } = await store.record("p");
      equal([sends, phase], [1, "awaiting-children"], "it needs no message");
    },
  ),

  storeCase(
    "recover-merely-queued",
    ["TS-18"],
    "a sweep never finds what merely waits, runs or is done",
    async (t, store) => {
      const waiting = ["waiting", "delayed", "waiting-long"];
      await store.make("waiting");
      await store.make("delayed", { notBefore: t.clock.now() + 60_000 });
      await store.make("waiting-long", { createdAt: t.clock.now() - 3_000_000 });
      await store.port.markSent(waiting.map((id) => ({ id, series: 1, send: 1 })));
      await store.make("running");
      await store.take("running");
      await store.make("later");
      await store.end((await store.take("later")).lease, { ...RETRY, delayMs: 60_000 });
      await store.finished("done", { kind: "completed" });
      await store.make("withdrawn");
      await store.withdraw("withdrawn", 1, 1);
      const before = await store.port.list({});
      await t.sleep(pastMs(GRACE_MS));
      equal(await store.sweep("sweeper", GRACE_MS), new Map(), "what is found");
      equal((await store.port.list({})).items, before.items, "the records afterwards");
      await store.make("young");
      equal(await store.sweep("sweeper", 60_000), new Map(), "what is found of young ones");
    },
  ),

  storeCase("recover-pages", ["TS-18"], "a sweep comes in pages and finds each record once", async (t, store) => {
    const ids = Array.from({ length: 25 }, (_, at) => `t${at}`);
    await store.port.create(ids.map((id) => store.draft(id)));
    await t.sleep(pastMs(GRACE_MS));
    const first = await store.port.recover({ node: "sweeper", leaseMs: 500, graceMs: GRACE_MS, limit: 10 });
    assert(
      first !== undefined && first.items.length <= 10 && first.next !== undefined,
      "the first page is bounded, and says that there is more",
    );
    const found = first.items.map(({ record }) => record.id);
    for (const { record } of first.items) equal(record.sends, 2, "the record is as it is after its send was begun");
    let cursor: string | undefined = first.next;
    while (cursor !== undefined) {
      const page = await store.port.recover({ node: "sweeper", leaseMs: 500, graceMs: GRACE_MS, limit: 10, cursor });
      assert(page !== undefined && page.items.length <= 10, "a later page is bounded");
      found.push(...page.items.map(({ record }) => record.id));
      cursor = page.next;
    }
    equal(found.toSorted(), ids.toSorted(), "all pages together");
  }),

  storeCase("recover-one-node", ["TS-18"], "one node sweeps at a time", async (t, store) => {
    const other = await openStore(t);
    await store.port.create(Array.from({ length: 4 }, (_, at) => store.draft(`t${at}`)));
    await t.sleep(pastMs(GRACE_MS));
    const ask = { leaseMs: 400, graceMs: GRACE_MS, limit: 1 };
    const page = await store.port.recover({ node: "node-a", ...ask });
    assert(page?.next !== undefined, "the first node's sweep has begun");
    equal(await other.port.recover({ node: "node-b", ...ask }), undefined, "another node's, meanwhile");
    await t.sleep(300);
    assert(
      (await store.port.recover({ node: "node-a", ...ask, cursor: page.next })) !== undefined,
      "the first node's next page",
    );
    await t.sleep(250);
    equal(
      await other.port.recover({ node: "node-b", ...ask }),
      undefined,
      "another node's: the next page renewed the lease",
    );
    await t.sleep(pastMs(400));
    assert(
      (await other.port.recover({ node: "node-b", ...ask })) !== undefined,
      "another node's, once the first one has gone away",
    );

    const begun = await openStore(t, { namespace: `${t.namespace}-rush` });
    const rival = await openStore(t, { namespace: `${t.namespace}-rush` });
    await begun.make("a");
    await t.sleep(pastMs(GRACE_MS));
    const pages = await Promise.all(
      [begun, rival, begun, rival].map((one, at) => one.port.recover({ node: `node-${at % 2}`, ...ask, limit: 10 })),
    );
    equal(pages.flatMap((one) => one?.items ?? []).length, 1, "times that its send was begun by simultaneous sweeps");
  }),
];
