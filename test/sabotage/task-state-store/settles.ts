import type { RenewOutcome, SettleOutcome, TaskStateStore } from "@intermodal/core/ports";
import { type Break, recordsOf, type Surroundings } from "./store.ts";

/** Replaces the token of every step by the one that is good. */
async function withGoodTokens<Ask extends { readonly id: string; readonly token: number }>(
  store: TaskStateStore,
  asks: readonly Ask[],
): Promise<readonly Ask[]> {
  const records = await recordsOf(store, asks);
  return asks.map((ask, at) => ({ ...ask, token: records[at]?.lease?.token ?? ask.token }));
}

/** The token is taken from whose lease has run out. */
async function withoutExpired<Ask extends { readonly id: string; readonly token: number }>(
  store: TaskStateStore,
  { server }: Surroundings,
  asks: readonly Ask[],
): Promise<readonly Ask[]> {
  const records = await recordsOf(store, asks);
  return asks.map((ask, at) =>
    (records[at]?.lease?.expiresAt ?? 0) <= server.clock.now() ? { ...ask, token: -1 } : ask,
  );
}

/** Broken promises about what the holder of a lease does. */
export const SETTLES: readonly Break[] = [
  [
    "takes any token for the good one",
    ["stale-token", "stale-token-settled", "child-keys"],
    (store) => ({
      renew: async (renewals) => store.renew(await withGoodTokens(store, renewals)),
      reserve: async (reservations) => store.reserve(await withGoodTokens(store, reservations)),
      settle: async (settles) => store.settle(await withGoodTokens(store, settles)),
    }),
  ],
  [
    "takes nothing from a holder whose lease has run out",
    ["expired-lease-settles"],
    (store, around) => ({
      renew: async (renewals) => store.renew(await withoutExpired(store, around, renewals)),
      reserve: async (reservations) => store.reserve(await withoutExpired(store, around, reservations)),
      settle: async (settles) => store.settle(await withoutExpired(store, around, settles)),
    }),
  ],
  [
    "tells everybody who settles that it counted",
    ["settle-once", "stale-token", "stale-token-settled"],
    (store) => ({
      settle: async (settles) => {
        const outcomes = await store.settle(settles);
        const records = await recordsOf(store, settles);
        return outcomes.map((outcome, at): SettleOutcome => {
          const record = records[at];
          return outcome.settled || record === undefined ? outcome : { settled: true, record };
        });
      },
    }),
  ],
  [
    "counts a hand-back",
    ["attempts-released"],
    (store) => ({
      settle: (settles) =>
        store.settle(
          settles.map((settle) =>
            settle.outcome.kind === "released"
              ? { ...settle, outcome: { kind: "retry", error: { name: "Error", message: "" }, delayMs: 0 } }
              : settle,
          ),
        ),
    }),
  ],
  [
    "begins no send for a retry",
    ["attempts-resend", "lost-settle"],
    (store) => ({ settle: (settles) => store.settle(settles.map((settle) => ({ ...settle, resend: false }))) }),
  ],
  [
    "records nothing of what a task owes",
    [
      "duties",
      "duties-by-outcome",
      "duties-one-step",
      "expiry-of-one",
      "attempts-exhausted",
      "children-close",
      "children-close-once",
    ],
    (store) => ({ claim: (claims) => store.claim(claims.map((claim) => ({ ...claim, owes: [] }))) }),
  ],
  [
    "records what a task owes in a second step",
    ["duties-one-step"],
    (store, { shared }) => ({
      settle: async (settles) => {
        for (const { id } of settles) shared.set(id, true);
        const outcomes = await store.settle(settles);
        for (let turn = 0; turn < 10; turn++) await undefined;
        for (const { id } of settles) shared.delete(id);
        return outcomes;
      },
      get: async (ids) =>
        (await store.get(ids)).map((record) => record && (shared.has(record.id) ? { ...record, duties: [] } : record)),
    }),
  ],
  [
    "drops progress and phase",
    ["progress", "hostile-payloads"],
    (store) => ({
      renew: (renewals) =>
        store.renew(renewals.map((renewal) => ({ ...renewal, phase: undefined, progress: undefined }))),
    }),
  ],
  [
    "tells a holder nothing of a cancel request",
    ["cancel-renew"],
    (store) => ({
      renew: async (renewals) =>
        (await store.renew(renewals)).map(
          (outcome): RenewOutcome => (outcome.held ? { ...outcome, cancelRequested: false } : outcome),
        ),
    }),
  ],
  [
    "renews nothing",
    ["lease-renewal", "version", "progress"],
    (_store, { server }) => ({
      renew: async (renewals) =>
        renewals.map(({ leaseMs }) => ({
          held: true,
          expiresAt: server.clock.now() + leaseMs,
          cancelRequested: false,
        })),
    }),
  ],
];
