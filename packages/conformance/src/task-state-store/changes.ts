import { assert, equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";

export const changesCases = [
  storeCase(
    "changes",
    ["TS-21"],
    "ended tasks are told of, to every client, until it stops listening",
    async (t, store) => {
      const other = await openStore(t);
      const told = [new Set<string>(), new Set<string>()] as const;
      const stops = [store, other].map((one, at) =>
        one.port.changes((ids) => {
          for (const id of ids) told[at]?.add(id);
        }),
      );
      await store.make("open");
      await store.take("open");
      const ended = new Set<string>();
      // A hint may be lost, so that tasks go on ending until both clients have heard of one.
      await t.until("both clients are told of an ended task", async () => {
        const id = `t${ended.size}`;
        ended.add(id);
        await store.finished(id, { kind: "completed" });
        return told.every((ids) => ids.size > 0);
      });
      for (const ids of told) for (const id of ids) assert(ended.has(id), `only what has ended is told of (${id})`);
      for (const stop of stops) stop();
      await t.sleep(100);
      const before = told.map((ids) => ids.size);
      for (let at = 0; at < 5; at++) await store.finished(`late${at}`, { kind: "completed" });
      await t.sleep(200);
      equal(
        told.map((ids) => ids.size),
        before,
        "after it has stopped",
      );
    },
  ),

  storeCase(
    "changes-never-throws",
    ["TS-21", "TS-23"],
    "listening for changes throws neither while the store is away nor after close",
    async (t) => {
      const adapter = await t.open();
      const store = adapter.taskStateStore;
      assert(store !== undefined, "the adapter has a task state store");
      await t.faults.cut(adapter);
      const stop = store.changes(() => {});
      stop();
      stop();
      const kept = store.changes(() => {});
      await t.faults.mend(adapter);
      await adapter.close();
      kept();
      store.changes(() => {})();
    },
    ["cut", "mend"],
  ),
];
