import { assert, equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";
import { errorInfo } from "./store.ts";

const FAILED = { kind: "failed", status: "DEAD_LETTER", error: errorInfo() } as const;

export const reopenCases = [
  storeCase("reopen", ["TS-15", "TS-8"], "an ended task is opened under the next series", async (_t, store) => {
    const ended = await store.finished("a", FAILED);
    const open = await store.port.reopen({ id: "a", series: 1, streamId: "a~2" });
    assert(open !== undefined, "it is reopened");
    equal([open.status, open.series, open.streamId], ["QUEUED", 2, "a~2"], "status, series and stream");
    equal(
      [open.attempts, open.sends, open.sentAt, open.error, open.finishedAt],
      [0, 1, undefined, undefined, undefined],
      "a fresh start",
    );
    equal([open.epoch, open.input], [1, ended.input], "epoch and input");
    assert(open.version > ended.version && open.fence === ended.fence, "version rises, tokens go on");
    equal(await store.record("a"), open, "what is kept");
    equal(await store.port.reopen({ id: "a", series: 1 }), undefined, "the same once more");
    await store.refused("a", "superseded", { series: 1 });
    const { lease, record } = await store.take("a", { series: 2 });
    equal([record.attempts, lease.token > ended.fence], [1, true], "the new series' attempts and token");
    equal((await store.end(lease, { kind: "completed" })).status, "COMPLETED", "it ends again");
  }),

  storeCase(
    "reopen-refused",
    ["TS-15"],
    "what is open, owes duties, is complete or is in another series is not reopened",
    async (_t, store) => {
      await store.make("queued");
      const owing = await store.finished("owing", FAILED, ["announce"]);
      const complete = await store.finished("complete", { kind: "completed" });
      await store.finished("other", FAILED);
      for (const id of ["queued", "owing", "complete", "missing"]) {
        equal(await store.port.reopen({ id, series: 1 }), undefined, `reopening "${id}"`);
      }
      for (const series of [0, 2])
        equal(await store.port.reopen({ id: "other", series }), undefined, `in series ${series}`);
      equal([await store.record("owing"), await store.record("complete")], [owing, complete], "the records afterwards");
      await store.done("owing", ["announce"]);
      equal((await store.port.reopen({ id: "owing", series: 1 }))?.status, "QUEUED", "once nothing is owed any more");
    },
  ),

  storeCase(
    "reopen-input",
    ["TS-15"],
    "a new input raises the epoch and leaves the old sub-tasks behind",
    async (_t, store) => {
      const lease = await store.parent("p", ["k"]);
      await store.childEnded("p", "k", "COMPLETED");
      await store.end(lease, { kind: "completed" });
      const open = await store.port.reopen({ id: "p", series: 1, input: { new: true } });
      equal([open?.status, open?.series, open?.epoch], ["QUEUED", 2, 2], "also of a completed task");
      equal([open?.input, open?.children], [{ new: true }, {}], "input and sub-tasks");

      const failing = await store.parent("q", ["k"]);
      await store.childEnded("q", "k", "COMPLETED");
      await store.end(failing, FAILED);
      const kept = await store.port.reopen({ id: "q", series: 1 });
      equal(
        [kept?.epoch, Object.keys(kept?.children ?? {})],
        [1, ["k"]],
        "without a new input the finished steps are kept",
      );
    },
  ),

  storeCase("reopen-once", ["TS-15"], "of simultaneous replays exactly one opens it", async (t, store) => {
    const stores = [store, ...(await openStores(t, 4))];
    for (let round = 0; round < t.size(50, 8); round++) {
      const id = `r${round}`;
      await store.finished(id, FAILED);
      const opened = await Promise.all(
        stores.flatMap((one) => [1, 2, 3].map(() => one.port.reopen({ id, series: 1 }))),
      );
      equal(opened.filter((record) => record !== undefined).length, 1, "replays that opened it");
      const record = await store.record(id);
      equal([record.status, record.series], ["QUEUED", 2], "the record");
    }
  }),

  storeCase(
    "reopen-child",
    ["TS-15", "TS-13"],
    "a parent that ended because of a sub-task opens with it, once, and closes with its next end",
    async (t, store) => {
      const stores = [store, ...(await openStores(t, 4))];
      await store.end(await store.parent("p", ["k", "l"], { owes: ["announce"] }), {
        kind: "completed",
        result: "kept",
      });
      await store.childEnded("p", "k", "COMPLETED");
      await store.childEnded("p", "l", "FAILED");
      const ask = { parentId: "p", key: "l", childId: "p/l", childSeries: 2, streamId: "p~2" };
      equal(await store.port.reopenChild(ask), undefined, "while it owes duties");
      await store.done("p", ["announce"]);
      equal(await store.port.reopenChild({ ...ask, key: "other" }), undefined, "of an unknown key");
      equal(await store.port.reopenChild({ ...ask, childId: "stranger" }), undefined, "of another sub-task");
      equal(await store.port.reopenChild({ ...ask, parentId: "missing" }), undefined, "of a parent that is not there");

      const opened = await Promise.all(stores.map((one) => one.port.reopenChild(ask)));
      for (const record of opened)
        equal([record?.status, record?.phase, record?.series], ["RUNNING", "awaiting-children", 2], "the parent");
      const open = await store.record("p");
      equal([open.series, open.streamId, open.result], [2, "p~2", "kept"], "series, stream and result");
      equal(open.children.l, { id: "p/l", status: "QUEUED", series: 2 }, "the sub-task as it is expected now");
      equal((await store.childEnded("p", "l", "FAILED"))?.status, "RUNNING", "the sub-task's older series, told again");
      const closed = await store.childEnded("p", "l", "COMPLETED", { series: 2 });
      equal([closed?.status, closed?.duties], ["COMPLETED", ["announce"]], "closed again");
    },
  ),

  storeCase(
    "reopen-child-refused",
    ["TS-15"],
    "a parent that ended by itself is not opened by a sub-task; one that runs goes on",
    async (_t, store) => {
      const failing = await store.parent("failed", ["k"]);
      await store.childEnded("failed", "k", "FAILED");
      const failed = await store.end(failing, FAILED);
      equal(
        await store.port.reopenChild({ parentId: "failed", key: "k", childId: "failed/k", childSeries: 2 }),
        undefined,
        "ended by itself",
      );
      equal(await store.record("failed"), failed, "its record");
      const lease = await store.parent("runs", ["k"]);
      await store.childEnded("runs", "k", "FAILED");
      const runs = await store.port.reopenChild({ parentId: "runs", key: "k", childId: "runs/k", childSeries: 2 });
      equal([runs?.status, runs?.series, runs?.lease?.token], ["RUNNING", 1, lease.token], "a running one");
      equal(runs?.children.k?.status, "QUEUED", "its sub-task is open again");
    },
  ),
];
