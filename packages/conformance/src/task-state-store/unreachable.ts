import type { Adapter } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import { storeCase } from "./declare.ts";
import { everyMethod } from "./every-method.ts";
import { Store } from "./store.ts";

/** Longer than any store may let a caller wait. */
const BOUND_MS = 60_000;

export const unreachableCases = [
  storeCase(
    "closed",
    ["TS-23"],
    "after close every method rejects with CLOSED, and other clients go on",
    async (t, store) => {
      const adapter = await t.open();
      assert(adapter.taskStateStore !== undefined, "the adapter has a task state store");
      const closing = new Store(adapter.taskStateStore, t);
      await closing.make("a");
      await adapter.close();
      await adapter.close();
      for (const [what, call] of everyMethod(closing.port, closing))
        await rejects(`${what} after close`, "CLOSED", call);
      equal((await store.record("a")).status, "QUEUED", "another client's view");
      equal(await store.get("none"), undefined, "nothing was done");
    },
  ),

  storeCase(
    "closed-unused",
    ["TS-23"],
    "closing a client that was never used is fine, and it stays closed",
    async (t, store) => {
      const adapter = await t.open();
      const port = adapter.taskStateStore;
      assert(port !== undefined, "the adapter has a task state store");
      await adapter.close();
      for (const [what, call] of everyMethod(port, store)) await rejects(`${what} after close`, "CLOSED", call);
    },
  ),

  storeCase(
    "unreachable",
    ["TS-23"],
    "while the store is away every method rejects in a bounded time, and works again afterwards",
    async (t) => {
      const [used, fresh] = [await t.open(), await t.open()];
      await storeOf(used, t).make("a");
      await Promise.all([used, fresh].map((adapter) => t.faults.cut(adapter)));
      // Also for whom it was never there: a host may be up before its store.
      for (const adapter of [used, fresh]) {
        const store = storeOf(adapter, t);
        const started = t.clock.now();
        await Promise.all(
          everyMethod(store.port, store).map(([what, call]) =>
            rejects(`${what} while the store is away`, "UNAVAILABLE", call),
          ),
        );
        const took = t.clock.now() - started;
        assert(took <= BOUND_MS, `they reject within ${BOUND_MS} ms (${took} ms)`);
      }
      for (const [at, adapter] of [used, fresh].entries()) {
        const store = storeOf(adapter, t);
        await t.faults.mend(adapter);
        const worksAgain = () =>
          store.get("a").then(
            (record) => record !== undefined,
            () => false,
          );
        await t.until("the client works again", worksAgain, { withinMs: 30_000 });
        if (at === 0) equal((await store.take("a")).record.status, "RUNNING", "a task that is claimed afterwards");
      }
    },
    ["cut", "mend"],
  ),

  storeCase(
    "restart",
    ["TS-23"],
    "what a store has acknowledged is there after it was stopped and started",
    async (t, store) => {
      await store.make("a", { input: { x: 1 } });
      const { lease } = await store.take("a");
      await store.finished("b", { kind: "completed", result: "kept" }, ["announce"]);
      const before = [await store.record("a"), await store.record("b")];
      await t.faults.stop();
      await rejects("get while the store is stopped", "UNAVAILABLE", () => store.get("a"));
      await t.faults.start();
      await t.until(
        "the client works again",
        () =>
          store.get("a").then(
            () => true,
            () => false,
          ),
        { withinMs: 30_000 },
      );
      equal([await store.record("a"), await store.record("b")], before, "the records");
      equal((await store.end(lease, { kind: "completed" })).status, "COMPLETED", "the lease is still good");
    },
    ["stop", "start"],
  ),
];

function storeOf({ taskStateStore }: Adapter, t: CaseContext): Store {
  assert(taskStateStore !== undefined, "the adapter has a task state store");
  return new Store(taskStateStore, t);
}
