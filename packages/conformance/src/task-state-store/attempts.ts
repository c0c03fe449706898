import { assert, equal } from "../assert.ts";
import { storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

const RETRY = { kind: "retry", error: errorInfo(), delayMs: 0 } as const;

export const attemptsCases = [
  storeCase(
    "attempts",
    ["TS-7"],
    "attempts are counted by claims, however they end, and refused to nobody",
    async (t, store) => {
      await store.make("a");
      const first = await store.take("a", { maxAttempts: 3 });
      equal([first.record.attempts, first.record.retryCount, first.instead], [1, 0, undefined], "the first claim");
      assert(first.record.startedAt !== undefined, "the first claim starts the task");
      const retrying = await store.end(first.lease, RETRY);
      equal([retrying.status, retrying.error], ["RETRYING", errorInfo()], "settled to be tried again");
      const second = await store.take("a", { maxAttempts: 3, leaseMs: SHORT_LEASE_MS });
      equal([second.record.attempts, second.record.retryCount], [2, 1], "the second claim");
      equal(second.record.startedAt, first.record.startedAt, "the task was started once");
      await t.sleep(pastMs(SHORT_LEASE_MS));
      const third = await store.take("a", { maxAttempts: 3 });
      equal([third.record.attempts, third.record.retryCount, third.instead], [3, 2, undefined], "a take-over counts");
    },
  ),

  storeCase(
    "attempts-exhausted",
    ["TS-7"],
    "once all attempts are used up a claim is for ending the task only",
    async (t, store) => {
      await store.make("a");
      for (let attempt = 1; attempt <= 2; attempt++) {
        const { instead, lease } = await store.take("a", { maxAttempts: 2, leaseMs: SHORT_LEASE_MS / attempt });
        equal(instead, undefined, `attempt ${attempt}`);
        await t.sleep(pastMs(lease.leaseMs));
      }
      const last = await store.take("a", { maxAttempts: 2, owes: ["announce"] });
      equal([last.instead, last.record.attempts], ["exhausted", 2], "the claim after the last attempt");
      const dead = await store.end(last.lease, { kind: "failed", status: "DEAD_LETTER", error: errorInfo() });
      equal([dead.status, dead.attempts, dead.duties], ["DEAD_LETTER", 2, ["announce"]], "the record that it ends as");
    },
  ),

  storeCase(
    "attempts-released",
    ["TS-7"],
    "a hand-back leaves the attempts, the start and the status as if it had not been claimed",
    async (_t, store) => {
      await store.make("a");
      for (let round = 0; round < 4; round++) {
        const { lease, instead } = await store.take("a", { maxAttempts: 1 });
        equal(instead, undefined, "a handed-back task is not exhausted");
        const back = await store.end(lease, { kind: "released" });
        equal(
          [back.status, back.attempts, back.retryCount, back.startedAt],
          ["QUEUED", 0, 0, undefined],
          "handed back",
        );
      }
      const { lease } = await store.take("a", { maxAttempts: 2 });
      await store.end(lease, RETRY);
      const second = await store.take("a", { maxAttempts: 2 });
      equal([(await store.end(second.lease, { kind: "released" })).attempts], [1], "the counted attempt stays counted");
      const third = await store.take("a", { maxAttempts: 2 });
      equal([third.record.attempts, third.instead], [2, undefined], "claimed again");
    },
  ),

  storeCase(
    "attempts-not-given-back",
    ["TS-7"],
    "releasing a claim that was not to be run gives no attempt back",
    async (_t, store) => {
      await store.make("a");
      await store.end((await store.take("a", { maxAttempts: 1 })).lease, RETRY);
      for (const again of [1, 2]) {
        const { lease, instead } = await store.take("a", { maxAttempts: 1 });
        equal(instead, "exhausted", `claim ${again} after the last attempt`);
        equal((await store.end(lease, { kind: "released" })).attempts, 1, "attempts after the hand-back");
      }
    },
  ),

  storeCase(
    "attempts-resend",
    ["TS-7", "TS-11"],
    "a retry or hand-back without a delivery begins the next send in the same step",
    async (_t, store) => {
      await store.make("a");
      await store.port.markSent([{ id: "a", series: 1, send: 1 }]);
      const kept = await store.end((await store.take("a")).lease, RETRY);
      equal([kept.sends, kept.sentAt !== undefined], [1, true], "with a delivery no send begins");
      const again = await store.end((await store.take("a")).lease, RETRY, { resend: true });
      equal([again.sends, again.sentAt], [2, undefined], "a retry begins the next send");
      const back = await store.end((await store.take("a")).lease, { kind: "released" }, { resend: true });
      equal([back.sends, back.sentAt], [3, undefined], "a hand-back begins the next send");
    },
  ),

  storeCase("attempts-step", ["TS-7"], "a newly finished step restarts the count of attempts", async (_t, store) => {
    const lease = await store.parent("p", ["k", "l"], { maxAttempts: 2 });
    await store.end(lease, RETRY);
    const second = await store.take("p", { maxAttempts: 2 });
    equal(second.record.attempts, 2, "attempts before a step ended");
    await store.childEnded("p", "k", "COMPLETED");
    equal((await store.record("p")).attempts, 1, "the attempt under way is the first since the step");
    await store.end(second.lease, RETRY);
    const third = await store.take("p", { maxAttempts: 2 });
    equal([third.record.attempts, third.instead], [2, undefined], "another attempt is left");
    await store.childEnded("p", "k", "COMPLETED");
    equal((await store.record("p")).attempts, 2, "a step told twice is one step");
    await store.childEnded("p", "l", "FAILED");
    equal((await store.record("p")).attempts, 2, "a failed step is none");
    await store.end(third.lease, RETRY);
    equal((await store.take("p", { maxAttempts: 2 })).instead, "exhausted", "then all are used up");
  }),
];
