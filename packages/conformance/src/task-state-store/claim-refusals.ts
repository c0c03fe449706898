import { assert, equal } from "../assert.ts";
import { storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

export const claimRefusalCases = [
  storeCase(
    "claim-early",
    ["TS-10"],
    "before its time a task is refused with the time that is left, afterwards it is not",
    async (t, store) => {
      await store.make("delayed", { notBefore: t.clock.now() + 60_000 });
      await store.make("soon", { notBefore: t.clock.now() + SHORT_LEASE_MS });
      await store.make("retried");
      await store.make("released");
      await store.end((await store.take("retried")).lease, { kind: "retry", error: errorInfo(), delayMs: 60_000 });
      await store.end((await store.take("released")).lease, { kind: "released", delayMs: 60_000 });
      for (const id of ["delayed", "retried", "released"]) {
        const { retryInMs } = await store.refused(id, "early");
        assert(
          retryInMs !== undefined && retryInMs > 50_000 && retryInMs <= 60_100,
          `${id} comes back in ${retryInMs} ms`,
        );
      }
      equal((await store.record("retried")).attempts, 1, "a refused claim counts for nothing");
      await t.sleep(pastMs(SHORT_LEASE_MS));
      equal((await store.take("soon")).record.nextAttemptAt, undefined, "its time has come");
    },
  ),

  storeCase(
    "claim-series",
    ["TS-10"],
    "a message of another series is refused: an older one as superseded, a later one as behind",
    async (_t, store) => {
      await store.make("a", { series: 2 });
      await store.refused("a", "superseded", { series: 1 });
      await store.refused("a", "behind", { series: 3 });
      const { lease } = await store.take("a", { series: 2 });
      await store.refused("a", "superseded", { series: 1 });
      await store.end(lease, { kind: "completed" });
      await store.refused("a", "superseded", { series: 1 });
      equal(
        (await store.refused("a", "finished", { series: 2 })).record?.status,
        "COMPLETED",
        "a finished task's status is told",
      );
    },
  ),

  storeCase(
    "claim-awaiting-children",
    ["TS-10"],
    "a task whose handler has ended is refused while its sub-tasks are open",
    async (_t, store) => {
      const returned = await store.end(await store.parent("returned", ["k"]), { kind: "completed", result: "kept" });
      equal(
        [returned.status, returned.phase, returned.result],
        ["RUNNING", "awaiting-children", "kept"],
        "a parent that returned",
      );
      const failing = await store.end(await store.parent("failing", ["k"]), {
        kind: "failed",
        status: "FAILED",
        error: errorInfo(),
      });
      equal(
        [failing.status, failing.phase, failing.closesAs],
        ["RUNNING", "closing", "FAILED"],
        "a parent that failed",
      );
      for (const id of ["returned", "failing"]) {
        await store.refused(id, "awaiting-children");
        await store.refused(id, "awaiting-children", { toCancel: true });
      }
    },
  ),

  storeCase(
    "claim-deadline",
    ["TS-10", "TS-7"],
    "a task that was not started in its time is given for ending only",
    async (t, store) => {
      await store.make("late", { deadlineAt: t.clock.now() - 1_000 });
      const late = await store.take("late");
      equal(
        [late.instead, late.record.attempts, late.record.startedAt],
        ["expired", 0, undefined],
        "past its deadline",
      );
      await store.make("in-time", { deadlineAt: t.clock.now() + 60_000 });
      equal((await store.take("in-time")).instead, undefined, "before its deadline");
      await store.make("started", { deadlineAt: t.clock.now() + SHORT_LEASE_MS });
      await store.end((await store.take("started")).lease, { kind: "retry", error: errorInfo(), delayMs: 0 });
      await t.sleep(pastMs(SHORT_LEASE_MS));
      equal((await store.take("started")).instead, undefined, "a task that was started in time may be tried again");
    },
  ),
];
