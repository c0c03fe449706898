import { assert, equal } from "../assert.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";
import { lostCase } from "./unlucky.ts";

export const lostAnswerCases = [
  lostCase(
    "lost-create",
    ["TS-1", "TS-2"],
    "a submit whose answer was lost can be repeated, and taken back",
    async (_t, lost, store) => {
      const { record } = await lost.twice("create", (one) => one.create(one.draft("a")));
      equal(await store.record("a"), record, "there is one record, as it was answered");
      await lost.twice("markSent", (one) => one.port.markSent([{ id: "a", series: 1, send: record.sends }]));
      assert((await store.record("a")).sentAt !== undefined, "it is marked as sent");
      await store.make("b");
      await lost.twice("withdraw", (one) => one.withdraw("b", 1, 1));
      equal((await store.record("b")).withdrawn, true, "it is withdrawn");
    },
  ),

  lostCase(
    "lost-claim",
    ["TS-3", "TS-4"],
    "a claim whose answer was lost succeeds again once its lease has run out",
    async (t, lost, store) => {
      await store.make("a");
      const ask = { leaseMs: SHORT_LEASE_MS };
      const first = await lost.twice("claim", (one) => one.claim("a", ask));
      if (!first.claimed) {
        equal(first.reason, "running", "what the repeated claim may be told");
        await t.sleep(pastMs(SHORT_LEASE_MS));
      }
      const { lease, record } = first.claimed ? first : await store.take("a", ask);
      equal(record.status, "RUNNING", "then it is claimed");
      const renewed = await lost.twice("renew", (one) => one.renew(lease, { progress: 1, leaseMs: 60_000 }));
      equal(renewed.held, true, "a renewal, repeated");
      await lost.twice("reserve", (one) => one.reserve(lease, "k", "a/k"));
      equal(
        (await store.record("a")).children,
        { k: { id: "a/k", status: "QUEUED", series: 1 } },
        "a reservation, repeated",
      );
    },
  ),

  lostCase("lost-settle", ["TS-6", "TS-11"], "a settle whose answer was lost counts once", async (_t, lost, store) => {
    await store.make("a");
    const { lease } = await store.take("a", { owes: ["announce"] });
    await lost.twice("settle", (one) => one.settle(lease, { kind: "completed", result: 1 }));
    const { status, result, duties } = await store.record("a");
    equal([status, result, duties], ["COMPLETED", 1, ["announce"]], "the record");
    await lost.twice("dutiesDone", (one) => one.done("a", ["announce"]));
    equal((await store.record("a")).duties, [], "duties, struck out twice");

    await store.make("b");
    const { lease: retried } = await store.take("b");
    await lost.twice("settle", (one) =>
      one.settle(retried, { kind: "retry", error: errorInfo(), delayMs: 0 }, { resend: true }),
    );
    const again = await store.record("b");
    equal([again.status, again.attempts, again.sends], ["RETRYING", 1, 2], "a retry, repeated");
  }),

  lostCase(
    "lost-family",
    ["TS-13", "TS-14", "TS-15"],
    "steps between tasks whose answers were lost count once",
    async (_t, lost, store) => {
      await store.end(await store.parent("p", ["k"], { owes: ["announce"] }), { kind: "completed" });
      const told = await lost.twice("childEnded", (one) => one.childEnded("p", "k", "FAILED"));
      equal(
        [told?.status, told?.duties],
        ["COMPLETED_WITH_ERRORS", ["announce"]],
        "the parent, and what it owes, when told twice",
      );
      await store.done("p", ["announce"]);
      const ask = { parentId: "p", key: "k", childId: "p/k", childSeries: 2 };
      equal(
        (await lost.twice("reopenChild", (one) => one.port.reopenChild(ask)))?.series,
        2,
        "the parent's series, reopened twice",
      );

      await store.finished("f", { kind: "failed", status: "FAILED", error: errorInfo() });
      await lost.twice("reopen", (one) => one.port.reopen({ id: "f", series: 1 }));
      const reopened = await store.record("f");
      equal([reopened.status, reopened.series, reopened.sends], ["QUEUED", 2, 1], "a replay, repeated");
      equal(
        (await lost.twice("requestCancel", (one) => one.cancel("f")))?.cancelRequested,
        true,
        "a cancel request, repeated",
      );
    },
  ),

  lostCase(
    "lost-recover",
    ["TS-18"],
    "a sweep whose answer was lost leaves nothing behind for good",
    async (t, lost, store) => {
      await store.make("a");
      await t.sleep(pastMs(SHORT_LEASE_MS));
      const found = await lost.twice("recover", (one) => one.sweep("sweeper", SHORT_LEASE_MS));
      if (found?.has("a")) return;
      await t.sleep(pastMs(SHORT_LEASE_MS));
      equal((await store.sweep("sweeper", SHORT_LEASE_MS))?.get("a"), "unsent", "what a later sweep finds");
    },
  ),
];
