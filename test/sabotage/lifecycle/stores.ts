import type { ClaimOutcome, RenewOutcome } from "@intermodal/core/ports";
import type { Break } from "./break.ts";

/** State stores and inboxes that do not keep what the life of tasks rests on. */
export const STORES: readonly Break[] = [
  [
    "the store forgets what tasks owe",
    [
      "worker-dies-parent-worker",
      "worker-refused-plain",
      "worker-lost-plain",
      "worker-refused-parent",
      "worker-lost-parent",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: { claim: (claims) => store.claim(claims.map((claim) => ({ ...claim, owes: [] }))) },
    }),
  ],
  [
    "the sweep finds nothing",
    [
      "deferred-refused",
      "submitter-dies",
      "canceller-dies",
      "replayer-dies-parent",
      "replayer-dies-child",
      "worker-dies-exhausted-sweeper",
      "worker-dies-refused-sweeper",
      "worker-dies-parent-worker",
      "worker-dies-parent-sweeper",
      "worker-dies-failing-parent-worker",
      "worker-dies-failing-parent-sweeper",
      "worker-dies-workflow-worker",
      "worker-dies-workflow-sweeper",
      "worker-dies-deep-worker",
      "worker-dies-deep-sweeper",
      "worker-dies-cancelled-worker",
      "worker-dies-cancelled-sweeper",
      "worker-outage-plain",
      "worker-cut-plain",
      "worker-outage-retried",
      "worker-cut-retried",
      "worker-outage-exhausted",
      "worker-cut-exhausted",
      "worker-outage-refused",
      "worker-cut-refused",
      "worker-outage-parent",
      "worker-cut-parent",
      "worker-outage-failing-parent",
      "worker-cut-failing-parent",
      "worker-outage-workflow",
      "worker-cut-workflow",
      "worker-outage-deep",
      "worker-cut-deep",
      "worker-outage-cancelled",
      "worker-cut-cancelled",
      "canceller-lost",
      "replayer-refused",
    ],
    () => ({ taskStateStore: { recover: async () => ({ items: [] }) } }),
  ],
  [
    "duties stay after they were done",
    [
      "worker-lost-plain",
      "worker-lost-retried",
      "worker-lost-exhausted",
      "worker-lost-refused",
      "worker-lost-parent",
      "worker-lost-failing-parent",
      "worker-lost-workflow",
      "worker-lost-deep",
      "worker-lost-cancelled",
    ],
    () => ({ taskStateStore: { dutiesDone: async () => {} } }),
  ],
  [
    "attempts are not counted",
    [
      "worker-dies-retried-worker",
      "worker-dies-retried-sweeper",
      "worker-refused-retried",
      "worker-lost-retried",
      "worker-outage-retried",
      "worker-cut-retried",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        claim: async (claims) => {
          const outcomes = await store.claim(
            claims.map((claim) => ({ ...claim, maxAttempts: Number.MAX_SAFE_INTEGER })),
          );
          return outcomes.map((outcome) =>
            outcome.claimed ? { ...outcome, record: { ...outcome.record, attempts: 1 } } : outcome,
          );
        },
      },
    }),
  ],
  [
    "a finished task is given to whoever asks",
    [
      "worker-dies-plain-worker",
      "worker-dies-plain-sweeper",
      "worker-dies-exhausted-worker",
      "worker-dies-exhausted-sweeper",
      "worker-dies-refused-worker",
      "worker-dies-refused-sweeper",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        claim: async (claims) =>
          (await store.claim(claims)).map((outcome): ClaimOutcome => {
            const { record } = outcome;
            if (outcome.claimed || outcome.reason !== "finished" || record === undefined) return outcome;
            const lease = { id: record.id, token: -1, expiresAt: 0, leaseMs: 1_000 };
            return { claimed: true, record, lease };
          }),
      },
    }),
  ],
  [
    "nobody can take over an expired lease",
    [
      "canceller-dies",
      "worker-dies-plain-worker",
      "worker-dies-plain-sweeper",
      "worker-dies-parent-worker",
      "worker-dies-parent-sweeper",
      "worker-dies-workflow-worker",
      "worker-dies-workflow-sweeper",
      "worker-dies-cancelled-worker",
      "worker-dies-cancelled-sweeper",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        claim: async (claims) =>
          (await store.claim(claims)).map((outcome) =>
            outcome.claimed && outcome.record.takeovers > 0
              ? { claimed: false, reason: "running", retryInMs: 1_000 }
              : outcome,
          ),
      },
    }),
  ],
  [
    "no sub-task's end reaches its parent",
    [
      "worker-dies-deep-worker",
      "worker-dies-deep-sweeper",
      "worker-refused-parent",
      "worker-refused-failing-parent",
      "worker-refused-workflow",
      "worker-refused-deep",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: { childEnded: (ends) => store.get(ends.map(({ parentId }) => parentId)) },
    }),
  ],
  [
    "every sub-task counts as completed",
    ["replayer-dies-parent", "replayer-dies-child"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { childEnded: (ends) => store.childEnded(ends.map((end) => ({ ...end, status: "COMPLETED" }))) },
    }),
  ],
  [
    "a request to cancel is lost",
    [
      "canceller-dies",
      "worker-dies-failing-parent-worker",
      "worker-dies-failing-parent-sweeper",
      "worker-dies-cancelled-worker",
      "worker-dies-cancelled-sweeper",
      "worker-refused-cancelled",
      "worker-lost-cancelled",
      "worker-outage-cancelled",
      "worker-cut-cancelled",
      "canceller-refused",
      "canceller-lost",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: { requestCancel: (ids) => store.get(ids) },
    }),
  ],
  [
    "a holder is not told to stop",
    [
      "canceller-dies",
      "worker-refused-cancelled",
      "worker-lost-cancelled",
      "worker-outage-cancelled",
      "worker-cut-cancelled",
    ],
    ({ taskStateStore: store }) => ({
      taskStateStore: {
        renew: async (renewals) =>
          (await store.renew(renewals)).map(
            (outcome): RenewOutcome => (outcome.held ? { ...outcome, cancelRequested: false } : outcome),
          ),
      },
    }),
  ],
  [
    "replays open nothing",
    ["replayer-dies-parent", "replayer-dies-child", "replayer-refused", "replayer-lost"],
    () => ({ taskStateStore: { reopen: async () => undefined } }),
  ],
  [
    "parents do not wait for a sub-task that runs again",
    ["replayer-dies-parent", "replayer-dies-child"],
    ({ taskStateStore: store }) => ({
      taskStateStore: { reopenChild: async ({ parentId }) => (await store.get([parentId]))[0] },
    }),
  ],
];
