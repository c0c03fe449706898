import { assert, equal } from "../assert.ts";
import { storeCase } from "./declare.ts";
import { errorInfo, pastMs, SHORT_LEASE_MS } from "./store.ts";

/** What is younger than this is left alone by the sweeps of these cases. */
const GRACE_MS = SHORT_LEASE_MS;
const RETRY = { kind: "retry", error: errorInfo(), delayMs: 100 } as const;

export const recoverCases = [
  storeCase(
    "recover-reasons",
    ["TS-18"],
    "a sweep finds what was left behind, each for its reason",
    async (t, store) => {
      await store.make("unsent");
      await store.make("dead-holder");
      await store.make("overdue");
      for (const id of ["dead-holder", "overdue"]) await store.port.markSent([{ id, series: 1, send: 1 }]);
      await store.take("dead-holder", { leaseMs: 100 });
      await store.end((await store.take("overdue")).lease, RETRY);
      await store.finished("owing", { kind: "completed" }, ["announce"]);
      await store.end(await store.parent("closing", ["k"]), { kind: "failed", status: "FAILED", error: errorInfo() });
      await t.sleep(pastMs(GRACE_MS) + 200);
      const found = await store.sweep("sweeper", GRACE_MS);
      equal(
        found,
        new Map([
          ["unsent", "unsent"],
          ["dead-holder", "expired-lease"],
          ["overdue", "overdue"],
          ["owing", "duties"],
          ["closing", "duties"],
        ]),
        "what is found, and why",
      );
      const begunAt = new Map<string, number>();
      for (const id of ["unsent", "dead-holder", "overdue"]) {
        const { sends, sentAt, series, sendingAt } = await store.record(id);
        equal([sends, sentAt, series], [2, undefined, 1], `the next send of ${id} was begun`);
        begunAt.set(id, sendingAt);
      }
      await store.sweep("sweeper", GRACE_MS);
      for (const [id, at] of begunAt) {
        // By the store's own time: who asks may be slow.
        const { sends, sendingAt } = await store.record(id);
        assert(sends === 2 || sendingAt - at >= GRACE_MS, `${id}, whose send has just begun, is left alone`);
      }
      await t.sleep(pastMs(GRACE_MS));
      const later = await store.sweep("sweeper", GRACE_MS);
      equal(
        new Set(later?.keys()),
        new Set(["unsent", "dead-holder", "overdue", "owing", "closing"]),
        "until they are mended they come back",
      );
      await store.done("owing", ["announce"]);
      await store.take("dead-holder");
      await store.take("overdue");
      await store.port.markSent([{ id: "unsent", series: 1, send: (await store.record("unsent")).sends }]);
      await store.childEnded("closing", "k", "CANCELLED");
      await t.sleep(pastMs(GRACE_MS));
      equal(await store.sweep("sweeper", GRACE_MS), new Map(), "once mended they don't");
    },
  ),

  storeCase(
    "recover-children",
    ["TS-18"],
    "a parent that waits for sub-tasks untouched comes back",
    async (t, store) => {
      await store.end(await store.parent("p", ["k"]), { kind: "completed" });
      const seen = new Set<string>();
      await t.until("a sweep finds the parent", async () => {
        for (const [id, reason] of (await store.sweep("sweeper", GRACE_MS)) ?? []) seen.add(`${id} ${reason}`);
        return seen.size > 0;
      });
      equal(seen, new Set(["p children"]), "what is found, and why");
      const { sends, phase } = await store.record("p");
      equal([sends, phase], [1, "awaiting-children"], "it needs no message");
    },
  ),

  storeCase(
    "recover-merely-queued",
    ["TS-18"],
    "a sweep never finds what merely waits, runs or is done",
    async (t, store) => {
      const waiting = ["waiting", "delayed", "waiting-long"];
      await store.make("waiting");
      await store.make("delayed", { notBefore: t.clock.now() + 60_000 });
      await store.make("waiting-long", { createdAt: t.clock.now() - 3_000_000 });
      await store.port.markSent(waiting.map((id) => ({ id, series: 1, send: 1 })));
      await store.make("running");
      await store.take("running");
      await store.make("later");
      await store.end((await store.take("later")).lease, { ...RETRY, delayMs: 60_000 });
      await store.finished("done", { kind: "completed" });
      await store.make("withdrawn");
      await store.withdraw("withdrawn", 1, 1);
      const before = await store.port.list({});
      await t.sleep(pastMs(GRACE_MS));
      equal(await store.sweep("sweeper", GRACE_MS), new Map(), "what is found");
      equal((await store.port.list({})).items, before.items, "the records afterwards");
      await store.make("young");
      equal(await store.sweep("sweeper", 60_000), new Map(), "what is found of young ones");
    },
  ),
];
