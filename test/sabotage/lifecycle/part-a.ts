import {
  type ClaimRefusal,
  type DeliveryHandler,
  type Settlement,
  sleep,
  type TaskStateStore,
} from "@intermodal/core/ports";
import type { Sabotage } from "../sabotage.ts";
import { busSabotage, storeSabotage } from "./by-port.ts";

/** Grants what it would have refused for this reason. */
function granting(reason: ClaimRefusal) {
  return (store: TaskStateStore): Partial<TaskStateStore> => ({
    claim: async (claims) =>
      (await store.claim(claims)).map((outcome, at) => {
        const { id = "", leaseMs = 0 } = claims[at] ?? {};
        if (outcome.claimed || outcome.reason !== reason || outcome.record === undefined) return outcome;
        return { claimed: true, record: outcome.record, lease: { id, token: 0, expiresAt: 0, leaseMs } };
      }),
  });
}

/** Settles a delivery otherwise than its handler says. */
function settling(change: (settlement: Settlement) => Settlement) {
  return (handle: DeliveryHandler): DeliveryHandler =>
    async (delivery) =>
      change(await handle(delivery));
}

let copies = 0;

/** Sending, delays and retries. */
const BUSES: readonly Sabotage[] = [
  busSabotage(
    "commandBus",
    "takes a task sent again for the message it had",
    ["withdrawn-after-lost-answer", "redelivered-older-series"],
    () => {
      const known = new Set<string>();
      return {
        send: (messages, send) =>
          send(
            messages.filter(({ id }) => {
              const task = id.replace(/:\d+:\d+$/, "");
              return task === id || (!known.has(task) && known.add(task));
            }),
          ),
      };
    },
  ),
  busSabotage(
    "commandBus",
    "acknowledges what is to come back",
    ["unknown-type", "unknown-version", "unknown-type-too-long", "unknown-command", "store-away-at-claim"],
    () => ({
      handle: settling((settlement) =>
        settlement.kind === "retry" && !settlement.counted ? { kind: "ack" } : settlement,
      ),
    }),
  ),
  busSabotage(
    "commandBus",
    "keeps no dead letters",
    [
      "attempts-exhausted",
      "poison",
      "unknown-type-too-long",
      "unknown-command",
      ...["non-retryable", "input", "result", "unserialisable-result", "sub-task-input"].map(
        (name) => `invalid-${name}`,
      ),
    ],
    () => ({
      handle: settling((settlement) => (settlement.kind === "dead-letter" ? { kind: "ack" } : settlement)),
    }),
  ),
  busSabotage(
    "commandBus",
    "keeps a worker's place for long after an acknowledgement",
    [
      "custody-three-deep",
      "custody-both-at-once",
      "custody-handle-result",
      "custody-many-parents",
      "custody-resumes-first",
      "custody-holds-nothing",
    ],
    ({ clock }) => ({
      handle: (handle) => async (delivery) => {
        const settlement = await handle(delivery);
        if (settlement.kind === "ack") await sleep(clock, 300_000);
        return settlement;
      },
    }),
  ),
  busSabotage("commandBus", "gives every sending an id of its own", ["workflow-message-ids"], () => ({
    send: (messages, send) => send(messages.map((message) => ({ ...message, id: `${message.id}#${++copies}` }))),
  })),
];

/** Records, claims and settles. */
const STORES: readonly Sabotage[] = [
  storeSabotage("says that it has withdrawn what it has not", ["withdrawn"], () => ({
    withdraw: async (marks) => marks.map(() => true),
  })),
  storeSabotage("withdraws what another sender may have sent", ["withdrawn-by-one-of-two"], (store) => ({
    async withdraw(marks) {
      for (const mark of marks) await store.withdraw([1, 2, 3].map((send) => ({ ...mark, send })));
      return store.withdraw(marks);
    },
  })),
  storeSabotage("sweeps up nothing", ["deferred", "deferred-sub-tasks", "deferred-call"], () => ({
    recover: async () => ({ items: [] }),
  })),
  storeSabotage("lets a finished task be claimed", ["redelivered-finished"], granting("finished")),
  storeSabotage("lets a running task be claimed", ["redelivered-running"], granting("running")),
  storeSabotage("takes messages of any series", ["redelivered-older-series"], granting("superseded")),
  storeSabotage("counts no attempts", ["attempts-exhausted", "attempts-last", "store-away-settle-lost"], (store) => ({
    claim: async (claims) =>
      (await store.claim(claims)).map((outcome) =>
        outcome.claimed ? { ...outcome, record: { ...outcome.record, attempts: 1 } } : outcome,
      ),
  })),
  storeSabotage("grants one attempt less than is asked for", ["attempts-last", "attempts-exhausted"], (store) => ({
    claim: (claims) => store.claim(claims.map((claim) => ({ ...claim, maxAttempts: claim.maxAttempts - 1 }))),
  })),
  storeSabotage("allows any number of attempts", ["poison"], (store) => ({
    claim: (claims) => store.claim(claims.map((claim) => ({ ...claim, maxAttempts: Number.MAX_SAFE_INTEGER }))),
  })),
  storeSabotage("tries again at once", ["attempts-retry-after", "attempts-exhausted"], (store) => ({
    settle: (settles) =>
      store.settle(
        settles.map((ask) =>
          ask.outcome.kind === "retry" ? { ...ask, outcome: { ...ask.outcome, delayMs: 0 } } : ask,
        ),
      ),
  })),
  storeSabotage(
    "has what failed for good tried again",
    [
      "attempts-when",
      ...["non-retryable", "input", "result", "unserialisable-result", "sub-task-input", "key-twice"].map(
        (name) => `invalid-${name}`,
      ),
    ],
    (store) => ({
      settle: (settles) =>
        store.settle(
          settles.map((ask) =>
            ask.outcome.kind === "failed" && ask.outcome.status === "FAILED"
              ? { ...ask, outcome: { kind: "retry", error: ask.outcome.error, delayMs: 100 } }
              : ask,
          ),
        ),
    }),
  ),
  storeSabotage("does not say who holds a task", ["store-away-claim-lost", "store-away-from-claim"], (store) => ({
    get: async (ids) => (await store.get(ids)).map((record) => record && { ...record, node: undefined }),
  })),
  storeSabotage(
    "takes nothing from a holder whose lease has run out",
    ["store-away-at-settle"],
    (store, { clock }) => ({
      async renew(renewals) {
        const records = await store.get(renewals.map(({ id }) => id));
        const expired = records.some((record) => (record?.lease?.expiresAt ?? 0) < clock.now());
        return expired ? renewals.map(() => ({ held: false })) : store.renew(renewals);
      },
    }),
  ),
  storeSabotage("lets nobody take over", ["blocked-then-woken", "poison"], (store) => ({
    claim: async (claims) =>
      (await store.claim(claims)).map((outcome) =>
        outcome.claimed && outcome.record.takeovers > 0
          ? { claimed: false, reason: "running", retryInMs: 1_000 }
          : outcome,
      ),
  })),
  storeSabotage("does not lengthen the lease of what was taken over", ["blocked"], (store) => ({
    async claim(claims) {
      const records = await store.get(claims.map(({ id }) => id));
      const takeovers = (at: number) => (records[at]?.takeovers ?? 0) + (records[at]?.lease === undefined ? 0 : 1);
      return store.claim(claims.map((claim, at) => ({ ...claim, leaseMs: claim.leaseMs / 2 ** takeovers(at) })));
    },
  })),
  storeSabotage(
    "loses the results of sub-tasks",
    ["workflow-resumed", "workflow-changed-input", "workflow-key-twice", "workflow-hostile-keys"],
    (store) => ({
      get: async (ids) =>
        (await store.get(ids)).map((record) => (record?.parentId ? { ...record, result: undefined } : record)),
    }),
  ),
  storeSabotage("takes keys that look alike for the same", ["workflow-hostile-keys"], (store) => ({
    reserve: (reservations) =>
      store.reserve(reservations.map((ask) => ({ ...ask, key: decodeURIComponent(ask.key).toLowerCase() }))),
  })),
  storeSabotage("keeps the old input when it reopens a task", ["workflow-new-epoch"], (store) => ({
    reopen: (ask) => store.reopen({ ...ask, input: undefined }),
  })),
  storeSabotage("shows late that a task has ended", ["custody-resumes-first"], (store, { clock }) => ({
    get: async (ids) =>
      (await store.get(ids)).map((record) =>
        record && clock.now() - (record.finishedAt ?? 0) < 10_000 ? { ...record, status: "RUNNING" } : record,
      ),
  })),
  storeSabotage(
    "forgets delays and deadlines",
    ["delayed", "expired", "store-away-claim-of-expired-lost"],
    (store) => ({
      create: (drafts) =>
        store.create(drafts.map((draft) => ({ ...draft, notBefore: undefined, deadlineAt: undefined }))),
    }),
  ),
];

/** Ports that break the promises about sending, attempts, failures, outages, workflows and custody. */
export const PART_A: readonly Sabotage[] = [...BUSES, ...STORES];
