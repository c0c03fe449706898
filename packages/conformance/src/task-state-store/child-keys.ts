import { equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

export const childKeyCases = [
  storeCase("child-keys", ["TS-12"], "a reserved key returns its sub-task to every later attempt", async (t, store) => {
    await store.make("p");
    const { lease } = await store.take("p", { leaseMs: SHORT_LEASE_MS });
    equal(await store.reserve(lease, "k", "c1"), { kind: "reserved" }, "a new key");
    const existing = { kind: "existing", childId: "c1", status: "QUEUED" };
    equal(await store.reserve(lease, "k", "c1"), existing, "the same again");
    equal(await store.reserve(lease, "k", "c2"), existing, "with another id");
    equal(
      (await store.record("p")).children,
      { k: { id: "c1", status: "QUEUED", series: 1 } },
      "the parent's sub-tasks",
    );

    await t.sleep(pastMs(SHORT_LEASE_MS));
    const { lease: next, record } = await store.take("p", { node: "node-b" });
    equal(Object.keys(record.children), ["k"], "a take-over finds the keys");
    equal(
      await store.reserve(lease, "l", "c3"),
      { kind: "stale" },
      "with the token of the attempt that lost its lease",
    );
    equal(Object.keys((await store.record("p")).children), ["k"], "keys afterwards");
    await store.childEnded("p", "k", "COMPLETED", { id: "c1" });
    equal(
      await store.reserve(next, "k", "c1"),
      { ...existing, status: "COMPLETED" },
      "a finished step is found as such",
    );
    await store.end(next, { kind: "retry", error: errorInfo(), delayMs: 0 });
    equal(Object.keys((await store.take("p")).record.children), ["k"], "the next attempt finds the keys");
  }),

  storeCase(
    "child-keys-concurrent",
    ["TS-12"],
    "simultaneous reservations: each key once, and none is lost",
    async (t, store) => {
      const stores = [store, ...(await openStores(t, 4))];
      await store.make("p");
      const { lease } = await store.take("p");
      const keys = Array.from({ length: t.size(40, 10) }, (_, at) => `k${at}`);
      const outcomes = await Promise.all(
        keys.flatMap((key) =>
          stores.map(async (one, at) => ({ key, at, outcome: await one.reserve(lease, key, `${key}-${at}`) })),
        ),
      );
      const { children } = await store.record("p");
      equal(new Set(Object.keys(children)), new Set(keys), "the parent's keys");
      for (const key of keys) {
        const ofKey = outcomes.filter((outcome) => outcome.key === key);
        const [winner, ...more] = ofKey.filter(({ outcome }) => outcome.kind === "reserved");
        equal([winner !== undefined, more.length], [true, 0], `who reserved ${key}`);
        equal(children[key]?.id, `${key}-${winner?.at}`, "the sub-task is the one that was reserved");
        for (const { outcome } of ofKey)
          if (outcome.kind === "existing") equal(outcome.childId, children[key]?.id, "what the others are told");
      }
    },
  ),

  storeCase("child-keys-batch", ["TS-12"], "many keys in one batch, one of them twice", async (_t, store) => {
    await store.make("p");
    const { lease } = await store.take("p");
    const outcomes = await store.port.reserve(
      ["a", "b", "a"].map((key, at) => ({ id: "p", token: lease.token, key, childId: `${key}${at}` })),
    );
    equal(
      outcomes,
      [{ kind: "reserved" }, { kind: "reserved" }, { kind: "existing", childId: "a0", status: "QUEUED" }],
      "the answers",
    );
  }),
];
