import { assert, equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { pastMs, SHORT_LEASE_MS } from "./store.ts";

/** What is younger than this is left alone by the sweeps of these cases. */
const GRACE_MS = SHORT_LEASE_MS;

export const recoverPagesCases = [
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
    const ask = { leaseMs: 3_000, graceMs: GRACE_MS, limit: 1 };
    const page = await store.port.recover({ node: "node-a", ...ask });
    assert(page?.next !== undefined, "the first node's sweep has begun");
    equal(await other.port.recover({ node: "node-b", ...ask }), undefined, "another node's, meanwhile");
    await t.sleep(2_000);
    assert(
      (await store.port.recover({ node: "node-a", ...ask, cursor: page.next })) !== undefined,
      "the first node's next page",
    );
    await t.sleep(2_000);
    equal(
      await other.port.recover({ node: "node-b", ...ask }),
      undefined,
      "another node's: the next page renewed the lease",
    );
    await t.sleep(pastMs(1_000));
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
