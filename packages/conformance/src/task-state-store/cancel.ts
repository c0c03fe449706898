import { equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

const RETRY = { kind: "retry", error: errorInfo(), delayMs: 0 } as const;

export const cancelCases = [
  storeCase("cancel-renew", ["TS-14"], "the holder's next renewal tells it to stop", async (t, store) => {
    const other = await openStore(t);
    await store.make("a");
    const { lease } = await store.take("a");
    const before = await store.renew(lease);
    equal(before.held && before.cancelRequested, false, "before the request");
    const asked = await other.cancel("a");
    equal([asked?.status, asked?.cancelRequested], ["RUNNING", true], "the record after the request");
    const after = await store.renew(lease);
    equal(after.held && after.cancelRequested, true, "after the request");
    equal((await store.end(lease, RETRY)).status, "CANCELLED", "a cancelled task is not tried again");
  }),

  storeCase(
    "cancel-claim",
    ["TS-14"],
    "the next claim is for ending the task, and counts no attempt",
    async (_t, store) => {
      await store.make("queued");
      equal((await store.cancel("queued"))?.status, "QUEUED", "asking ends nothing by itself");
      const queued = await store.take("queued");
      equal([queued.instead, queued.record.attempts], ["cancelled", 0], "a claim of a task that never ran");
      const ended = await store.end(queued.lease, { kind: "failed", status: "CANCELLED", error: errorInfo() });
      equal(ended.status, "CANCELLED", "the holder ends it");

      await store.make("delayed");
      await store.end((await store.take("delayed")).lease, { ...RETRY, delayMs: 60_000 });
      await store.refused("delayed", "not-cancelled", { toCancel: true });
      await store.cancel("delayed");
      const delayed = await store.take("delayed", { toCancel: true });
      equal([delayed.instead, delayed.record.attempts], ["cancelled", 1], "a claim before the next attempt's time");

      await store.make("running");
      await store.refused("running", "not-cancelled", { toCancel: true });
      await store.take("running");
      await store.cancel("running");
      await store.refused("running", "running", { toCancel: true });
    },
  ),

  storeCase(
    "cancel-sweep",
    ["TS-14", "TS-18"],
    "the sweep finds cancelled tasks that nobody holds",
    async (t, store) => {
      await store.make("queued");
      await store.make("held");
      await store.make("waiting");
      const marks = ["queued", "held", "waiting"].map((id) => ({ id, series: 1, send: 1 }));
      await store.port.markSent(marks);
      await store.take("held");
      await store.end((await store.take("waiting")).lease, { ...RETRY, delayMs: 60_000 });
      for (const { id } of marks) await store.cancel(id);
      await t.sleep(pastMs(SHORT_LEASE_MS));
      const found = await store.sweep("sweeper", SHORT_LEASE_MS);
      equal(
        found,
        new Map([
          ["queued", "cancel"],
          ["waiting", "cancel"],
        ]),
        "what is found, and why",
      );
    },
  ),

  storeCase(
    "cancel-late",
    ["TS-14", "TS-8"],
    "a completion settled first stands, and one settled after the request too",
    async (_t, store) => {
      const completed = await store.finished("first", { kind: "completed", result: 1 });
      equal(await store.cancel("first"), completed, "the answer for a task that has ended");
      equal(await store.record("first"), completed, "its record");

      await store.make("after");
      const { lease } = await store.take("after");
      await store.cancel("after");
      const ended = await store.end(lease, { kind: "completed", result: 2 });
      equal([ended.status, ended.result], ["COMPLETED", 2], "a holder that ended before it looked");
      equal(await store.cancel("missing"), undefined, "a task that is not there");
    },
  ),

  storeCase(
    "cancel-parent",
    ["TS-14", "TS-13"],
    "a parent that waits for its sub-tasks owes their cancelling and closes as CANCELLED",
    async (_t, store) => {
      await store.end(await store.parent("p", ["k"], { owes: ["announce"] }), { kind: "completed" });
      const asked = await store.cancel("p");
      equal(
        [asked?.status, asked?.phase, asked?.duties],
        ["RUNNING", "closing", ["cancel-children"]],
        "asked while it waits",
      );
      equal(await store.cancel("p"), asked, "asked again");
      await store.done("p", ["cancel-children"]);
      const closed = await store.childEnded("p", "k", "CANCELLED");
      equal([closed?.status, closed?.duties], ["CANCELLED", ["announce"]], "closed by its last sub-task");
    },
  ),
];
