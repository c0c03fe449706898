import type { HeldLease, SettleOutcomeKind } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS, type Store } from "./store.ts";

const OUTCOMES: readonly SettleOutcomeKind[] = [
  { kind: "completed", result: "stale" },
  { kind: "retry", error: errorInfo("stale"), delayMs: 0 },
  { kind: "failed", status: "FAILED", error: errorInfo("stale") },
  { kind: "released" },
];

async function refusesEverything(store: Store, lease: HeldLease, when: string): Promise<void> {
  const before = await store.record(lease.id);
  equal(await store.renew(lease, { progress: "stale", phase: "waiting" }), { held: false }, `renew ${when}`);
  equal(await store.reserve(lease, "stale", "stale-child"), { kind: "stale" }, `reserve ${when}`);
  for (const outcome of OUTCOMES) {
    equal(
      await store.settle(lease, outcome, { progress: "stale", resend: true }),
      { settled: false },
      `settle as ${outcome.kind} ${when}`,
    );
  }
  equal(await store.record(lease.id), before, `the record ${when}`);
}

export const staleTokenCases = [
  storeCase(
    "stale-token",
    ["TS-6"],
    "after a take-over the old token is refused by every step and changes nothing",
    async (t, store) => {
      const other = await openStore(t);
      await store.make("a");
      const { lease: old } = await store.take("a", { leaseMs: SHORT_LEASE_MS });
      await t.sleep(pastMs(SHORT_LEASE_MS));
      const { lease } = await other.take("a", { node: "node-b" });
      await refusesEverything(store, old, "after a take-over");
      await refusesEverything(store, { ...lease, token: lease.token + 1 }, "with a token that was never given");
      equal((await other.end(lease, { kind: "completed", result: "good" })).result, "good", "the new holder settles");
    },
  ),

  storeCase(
    "stale-token-settled",
    ["TS-6"],
    "after a settle its own token is refused, also when the task is claimed again",
    async (_t, store) => {
      for (const outcome of OUTCOMES) {
        const id = `after-${outcome.kind}`;
        await store.make(id);
        const { lease } = await store.take(id);
        await store.end(lease, outcome);
        await refusesEverything(store, lease, `after it was settled as ${outcome.kind}`);
        if (outcome.kind !== "retry" && outcome.kind !== "released") continue;
        const { lease: next } = await store.take(id);
        await refusesEverything(store, lease, "after the next claim");
        equal((await store.renew(next)).held, true, "the next holder");
      }
    },
  ),
];
