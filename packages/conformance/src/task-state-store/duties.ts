import { isTerminal } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { errorInfo } from "./store.ts";

export const dutiesCases = [
  storeCase(
    "duties",
    ["TS-11"],
    "a settle records the outcome and what is owed; each duty stays until it is struck out",
    async (_t, store) => {
      const ended = await store.finished("a", { kind: "completed", result: { x: 1 } }, [
        "end-stream",
        "announce",
        "tell-parent",
      ]);
      equal([ended.status, ended.result, ended.lease], ["COMPLETED", { x: 1 }, undefined], "outcome");
      equal(ended.duties, ["end-stream", "announce", "tell-parent"], "duties in the settle's answer");
      assert(ended.finishedAt !== undefined, "when it ended");
      equal(await store.record("a"), ended, "what is kept is what was answered");
      equal(
        (await store.refused("a", "finished")).record?.duties,
        ended.duties,
        "a late message's claim is told what is owed",
      );

      await store.done("a", ["announce", "cancel-children"]);
      equal((await store.record("a")).duties, ["end-stream", "tell-parent"], "one struck out");
      await store.done("a", ["end-stream", "tell-parent"], 2);
      equal(
        (await store.record("a")).duties,
        ["end-stream", "tell-parent"],
        "another series' duties strike out nothing",
      );
      await store.done("a", ["end-stream"]);
      await store.done("a", ["end-stream", "tell-parent"]);
      equal((await store.record("a")).duties, [], "all struck out");
      await store.done("missing", ["tell-parent"]);
    },
  ),

  storeCase("duties-by-outcome", ["TS-11"], "only what ends a task makes it owe what it owes", async (_t, store) => {
    const owes = ["announce", "end-stream"] as const;
    const fail = (status: "FAILED" | "DEAD_LETTER" | "CANCELLED") =>
      ({ kind: "failed", status, error: errorInfo(status) }) as const;
    for (const status of ["FAILED", "DEAD_LETTER", "CANCELLED"] as const) {
      const failed = await store.finished(status, fail(status), owes);
      equal([failed.status, failed.error, failed.duties], [status, errorInfo(status), owes], `ended as ${status}`);
    }
    const retrying = await store.finished("retry", { kind: "retry", error: errorInfo(), delayMs: 0 }, owes);
    equal([retrying.duties, retrying.finishedAt], [[], undefined], "to be tried again");
    const released = await store.finished("released", { kind: "released" }, owes);
    equal([released.duties, released.finishedAt], [[], undefined], "handed back");
    const open = await store.end(await store.parent("open", ["k"], { owes }), { kind: "completed" });
    equal([open.duties, open.finishedAt], [[], undefined], "waiting for sub-tasks");
    const closing = await store.end(await store.parent("closing", ["k"], { owes }), fail("FAILED"));
    equal([closing.duties, closing.finishedAt], [["cancel-children"], undefined], "failed with open sub-tasks");
    await store.done("closing", ["cancel-children"]);
    equal((await store.childEnded("closing", "k", "CANCELLED"))?.duties, owes, "closed by the last of them");
  }),

  storeCase(
    "duties-one-step",
    ["TS-11"],
    "nobody ever sees a task that has ended and does not owe yet",
    async (t, store) => {
      const watcher = await openStore(t);
      for (let round = 0; round < t.size(100, 15); round++) {
        const id = `r${round}`;
        await store.make(id);
        const { lease } = await store.take(id, { owes: ["announce"] });
        let over = false;
        const settling = store.end(lease, { kind: "completed", result: round }).finally(() => {
          over = true;
        });
        do {
          const seen = await watcher.record(id);
          if (!isTerminal(seen.status)) continue;
          equal([seen.duties, seen.result, seen.lease], [["announce"], round, undefined], "all of the settle at once");
        } while (!over);
        await settling;
        equal((await watcher.record(id)).duties, ["announce"], "after the settle");
      }
    },
  ),

  storeCase(
    "settle-once",
    ["TS-11", "TS-6"],
    "of simultaneous settles with one token exactly one counts",
    async (t, store) => {
      const other = await openStore(t);
      for (let round = 0; round < t.size(100, 15); round++) {
        const id = `r${round}`;
        await store.make(id);
        const { lease } = await store.take(id, { owes: ["announce"] });
        const outcomes = await Promise.all(
          [store, other, store, other].map((one, at) => one.settle(lease, { kind: "completed", result: at })),
        );
        const winners = outcomes.filter((outcome) => outcome.settled);
        equal(winners.length, 1, "settles that counted");
        equal(await store.record(id), winners[0]?.record, "the record is the one that counted");
      }
    },
  ),
];
