import { equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { errorInfo } from "./store.ts";

export const progressCases = [
  storeCase(
    "progress",
    ["TS-22"],
    "a renewal carries progress and phase, and what it does not name stays",
    async (t, store) => {
      const other = await openStore(t);
      await store.make("a");
      const { lease } = await store.take("a");
      const seen = async () => {
        const { progress, phase } = await other.record("a");
        return [progress, phase];
      };
      equal(await seen(), [undefined, undefined], "at first");
      await store.renew(lease, { progress: { done: 1, of: 3 } });
      equal(await seen(), [{ done: 1, of: 3 }, undefined], "with progress");
      await store.renew(lease, { phase: "waiting" });
      equal(await seen(), [{ done: 1, of: 3 }, "waiting"], "with a phase");
      await store.renew(lease);
      equal(await seen(), [{ done: 1, of: 3 }, "waiting"], "with neither");
      await store.renew(lease, { phase: null, progress: null });
      equal(await seen(), [null, undefined], "running again");
      await store.renew(lease, { phase: "waiting" });
      const retrying = await store.end(lease, { kind: "retry", error: errorInfo(), delayMs: 0 }, { progress: 0.5 });
      equal([retrying.progress, retrying.phase], [0.5, undefined], "a settle carries progress too");
      const { lease: next, record } = await store.take("a");
      equal(record.progress, 0.5, "the next attempt finds it");
      equal((await store.end(next, { kind: "completed" })).progress, 0.5, "a settle without progress keeps it");
    },
  ),
];
