import { assert, equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";
import { claimOf, pastMs, SHORT_LEASE_MS, type Store } from "./store.ts";

const CLAIMERS = 50;

/** All clients claim at the same time: each for itself, since a client may bring what it is asked at once to the store as one. */
async function rush(stores: readonly Store[], id: string, leaseMs: number) {
  const outcomes = await Promise.all(stores.map((store, at) => store.claim(id, { node: `node-${at}`, leaseMs })));
  const winners = outcomes.filter((outcome) => outcome.claimed);
  equal(winners.length, 1, `winners among ${stores.length} claimers of ${id}`);
  for (const outcome of outcomes) if (!outcome.claimed) equal(outcome.reason, "running", "why the others are refused");
  return winners[0] as Extract<(typeof outcomes)[number], { claimed: true }>;
}

export const oneWinnerCases = [
  storeCase("one-winner", ["TS-3"], "of 50 simultaneous claims exactly one gets the lease", async (t, store) => {
    const stores = [store, ...(await openStores(t, CLAIMERS - 1))];
    for (let round = 0; round < t.size(200, 40); round++) {
      const id = `r${round}`;
      await store.make(id);
      const winner = await rush(stores, id, 60_000);
      const record = await store.record(id);
      equal(
        [record.status, record.attempts, record.node],
        ["RUNNING", 1, winner.record.node],
        "what the record says of the winner",
      );
      equal(record.lease?.token, winner.lease.token, "the token on the record is the winner's");
    }
  }),

  storeCase(
    "one-winner-take-over",
    ["TS-3", "TS-4"],
    "of 50 simultaneous claims of an expired lease exactly one gets it",
    async (t, store) => {
      const stores = [store, ...(await openStores(t, CLAIMERS - 1))];
      const ids = Array.from({ length: t.size(50, 6) }, (_, at) => `r${at}`);
      const first = new Map<string, number>();
      for (const id of ids) await store.make(id);
      for (const id of ids) first.set(id, (await store.take(id, { leaseMs: SHORT_LEASE_MS })).lease.token);
      await t.sleep(pastMs(SHORT_LEASE_MS));
      for (const id of ids) {
        const winner = await rush(stores, id, 60_000);
        assert(winner.lease.token > (first.get(id) ?? 0), "the token rises");
      }
    },
  ),

  storeCase(
    "one-winner-batch",
    ["TS-3"],
    "one batch that claims a task many times gets it once, and answers in its order",
    async (_t, store) => {
      await store.make("a");
      await store.make("b");
      const outcomes = await store.port.claim([
        claimOf("a"),
        claimOf("missing"),
        claimOf("a"),
        claimOf("b"),
        claimOf("a"),
      ]);
      equal(
        outcomes.map((outcome) => (outcome.claimed ? outcome.lease.id : outcome.reason)),
        ["a", "not-found", "running", "b", "running"],
        "the answers",
      );
    },
  ),
];
