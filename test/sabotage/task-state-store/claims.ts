import type { ClaimOutcome } from "@intermodal/core/ports";
import { type Break, recordsOf } from "./store.ts";

/** Broken promises about claims. */
export const CLAIMS: readonly Break[] = [
  [
    "gives a task that is held to everybody who asks",
    [
      "one-winner",
      "one-winner-take-over",
      "one-winner-batch",
      "lease-expiry",
      "lease-renewal",
      "claim-creates",
      "claim-creates-once",
    ],
    (store) => ({
      claim: async (claims) =>
        (await store.claim(claims)).map((outcome, at): ClaimOutcome => {
          if (outcome.claimed || outcome.reason !== "running" || outcome.record?.lease === undefined) return outcome;
          const { record } = outcome;
          const lease = { id: record.id, ...outcome.record.lease, leaseMs: claims[at]?.leaseMs ?? 0 };
          return { claimed: true, record, lease };
        }),
    }),
  ],
  [
    "lets nobody in after an expired lease",
    ["one-winner-take-over", "lease-expiry", "stale-token", "attempts", "child-keys", "lost-claim"],
    (store) => ({
      claim: async (claims) =>
        (await store.claim(claims)).map((outcome) =>
          outcome.claimed && outcome.record.takeovers > 0
            ? { claimed: false, reason: "running", retryInMs: 1_000 }
            : outcome,
        ),
    }),
  ],
  [
    "lets every lease last as long as was asked",
    ["lease-doubles"],
    (store) => ({
      claim: async (claims) =>
        (await store.claim(claims)).map((outcome, at) =>
          outcome.claimed ? { ...outcome, lease: { ...outcome.lease, leaseMs: claims[at]?.leaseMs ?? 0 } } : outcome,
        ),
    }),
  ],
  [
    "does not count attempts",
    ["attempts", "one-winner", "claim-creates", "attempts-step"],
    (store) => ({
      claim: async (claims) =>
        (await store.claim(claims)).map((outcome) =>
          outcome.claimed ? { ...outcome, record: { ...outcome.record, attempts: 0 } } : outcome,
        ),
      get: async (ids) => (await store.get(ids)).map((record) => record && { ...record, attempts: 0 }),
    }),
  ],
  [
    "allows any number of attempts",
    ["attempts-exhausted", "attempts-not-given-back", "attempts-step"],
    (store) => ({
      claim: (claims) => store.claim(claims.map((claim) => ({ ...claim, maxAttempts: Number.MAX_SAFE_INTEGER }))),
    }),
  ],
  [
    "does not look at the message for a record that is missing",
    ["claim-creates", "claim-too-old"],
    (store) => ({ claim: (claims) => store.claim(claims.map((claim) => ({ ...claim, draft: undefined }))) }),
  ],
  [
    "believes the message rather than the record",
    ["claim-keeps-record"],
    (store) => ({
      claim: async (claims) =>
        (await store.claim(claims)).map((outcome, at) => {
          const draft = claims[at]?.draft;
          return outcome.claimed && draft !== undefined
            ? { ...outcome, record: { ...outcome.record, input: draft.input } }
            : outcome;
        }),
    }),
  ],
  [
    "creates records from messages of any age",
    ["claim-too-old", "claim-creates"],
    (store, { server }) => ({
      claim: (claims) =>
        store.claim(
          claims.map((claim) => ({
            ...claim,
            draft: claim.draft && { ...claim.draft, createdAt: server.clock.now() + 1 },
          })),
        ),
    }),
  ],
  [
    "forgets delays",
    ["claim-early"],
    (store) => ({
      create: (drafts) => store.create(drafts.map((draft) => ({ ...draft, notBefore: undefined }))),
    }),
  ],
  [
    "takes messages of any series",
    ["claim-series", "withdraw", "reopen"],
    (store) => ({
      claim: async (claims) => {
        const records = await recordsOf(store, claims);
        return store.claim(claims.map((claim, at) => ({ ...claim, series: records[at]?.series ?? claim.series })));
      },
    }),
  ],
  [
    "takes a parent that waits for its sub-tasks for a running one",
    ["claim-awaiting-children"],
    (store) => ({
      claim: async (claims) =>
        (await store.claim(claims)).map((outcome) =>
          !outcome.claimed && outcome.reason === "awaiting-children" ? { ...outcome, reason: "running" } : outcome,
        ),
    }),
  ],
  [
    "forgets deadlines",
    ["claim-deadline"],
    (store) => ({ create: (drafts) => store.create(drafts.map((draft) => ({ ...draft, deadlineAt: undefined }))) }),
  ],
];
