import { assert, equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

export const leaseCases = [
  storeCase(
    "lease-expiry",
    ["TS-4", "TS-10"],
    "a live lease keeps others out; one that has run out lets another in",
    async (t, store) => {
      const other = await openStore(t);
      await store.make("held");
      const { lease: held } = await store.take("held", { leaseMs: 60_000 });
      const refusal = await other.refused("held", "running", { node: "node-b" });
      const { retryInMs } = refusal;
      assert(
        retryInMs !== undefined && retryInMs > 50_000 && retryInMs <= 60_100,
        `the claimer is told when to come back (${retryInMs} ms)`,
      );

      await store.make("left");
      const { lease: left } = await store.take("left", { leaseMs: SHORT_LEASE_MS });
      assert(left.leaseMs === SHORT_LEASE_MS, "the lease lasts as long as was asked");
      await t.sleep(pastMs(SHORT_LEASE_MS));
      const { record, lease } = await other.take("left", { node: "node-b" });
      assert(lease.token > left.token, "the token rises");
      equal(record.node, "node-b", "who holds it now");
      await other.refused("held", "running");
      equal((await store.renew(held)).held, true, "the live one is still held");
    },
  ),

  storeCase("lease-renewal", ["TS-4"], "a renewed lease lasts on", async (t, store) => {
    const other = await openStore(t);
    await store.make("a");
    const { lease } = await store.take("a", { leaseMs: SHORT_LEASE_MS });
    const renewed = await store.renew(lease, { leaseMs: 60_000 });
    assert(renewed.held && renewed.expiresAt > lease.expiresAt, "the renewal tells the later end");
    await t.sleep(pastMs(SHORT_LEASE_MS));
    await other.refused("a", "running");
  }),

  storeCase("lease-doubles", ["TS-4"], "each take-over by expiry doubles the record's next lease", async (t, store) => {
    await store.make("a");
    for (const expected of [200, 400, 800]) {
      const { record, lease } = await store.take("a", { leaseMs: 200 });
      equal(lease.leaseMs, expected, "how long the lease lasts");
      const lasts = lease.expiresAt - (record.lastAttemptAt ?? 0);
      assert(Math.abs(lasts - expected) <= 50, `its end is ${expected} ms after the claim (${lasts})`);
      equal([record.lease?.token, record.lease?.expiresAt], [lease.token, lease.expiresAt], "the lease on the record");
      if (expected < 800) await t.sleep(pastMs(expected));
    }
    await store.make("settled");
    for (let attempt = 0; attempt < 3; attempt++) {
      const { lease } = await store.take("settled", { leaseMs: 200 });
      equal(lease.leaseMs, 200, "a claim after a settle is no take-over");
      await store.end(lease, { kind: "retry", error: errorInfo(), delayMs: 0 });
    }
  }),

  storeCase(
    "expired-lease-settles",
    ["TS-5"],
    "an expired lease that nobody took is good to renew and to settle",
    async (t, store) => {
      for (const id of ["renewed", "settled", "reserved"]) await store.make(id);
      const ask = { leaseMs: SHORT_LEASE_MS };
      const { lease: renewed } = await store.take("renewed", ask);
      const { lease: settled } = await store.take("settled", ask);
      const { lease: reserved } = await store.take("reserved", ask);
      await t.sleep(pastMs(SHORT_LEASE_MS));

      equal((await store.renew(renewed, { leaseMs: 60_000 })).held, true, "renewed after its end");
      await store.refused("renewed", "running");
      equal((await store.end(settled, { kind: "completed", result: 1 })).status, "COMPLETED", "settled after its end");
      equal(await store.reserve(reserved, "k", "reserved/k"), { kind: "reserved" }, "a key reserved after its end");
    },
  ),
];
