import type { TaskRecord } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { storeCase } from "./declare.ts";
import { errorInfo, type Store } from "./store.ts";

const OTHER_ENDS = [
  { kind: "completed", result: "late" },
  { kind: "failed", status: "FAILED", error: errorInfo("late") },
  { kind: "retry", error: errorInfo("late"), delayMs: 0 },
  { kind: "released" },
] as const;

/** Everything but a replay. */
async function tryToChange(store: Store, { id, status, fence, series, sends }: TaskRecord): Promise<void> {
  const lease = { id, token: fence, expiresAt: 0, leaseMs: 1_000 };
  await store.refused(id, "finished");
  await store.refused(id, "finished", { toCancel: true });
  await store.refused(id, "finished", { draft: store.draft(id) });
  await store.renew(lease, { progress: "late", phase: "waiting" });
  await store.reserve(lease, "late", "late-child");
  for (const outcome of OTHER_ENDS) await store.settle(lease, outcome, { progress: "late", resend: true });
  await store.cancel(id);
  equal(await store.withdraw(id, series, sends), false, `withdrawing a task that is ${status}`);
  await store.create(store.draft(id));
  await store.create({ ...store.draft(id), tombstone: true });
  await store.childEnded(id, "late", "FAILED");
  await store.port.recover({ node: "sweeper", leaseMs: 1, graceMs: 0, limit: 100 });
}

export const terminalCases = [
  storeCase(
    "terminal",
    ["TS-8", "TS-10"],
    "a task that has ended never changes, whatever comes late",
    async (_t, store) => {
      const ended = [
        await store.finished("completed", { kind: "completed", result: { ok: true } }),
        await store.finished("failed", { kind: "failed", status: "FAILED", error: errorInfo() }),
        await store.finished("cancelled", { kind: "failed", status: "CANCELLED", error: errorInfo() }),
        await store.finished("dead", { kind: "failed", status: "DEAD_LETTER", error: errorInfo() }),
      ];
      const lease = await store.parent("parent", ["k"]);
      await store.childEnded("parent", "k", "FAILED");
      ended.push(await store.end(lease, { kind: "completed", result: 1 }));
      equal(
        ended.map(({ status }) => status),
        ["COMPLETED", "FAILED", "CANCELLED", "DEAD_LETTER", "COMPLETED_WITH_ERRORS"],
        "the five ends",
      );
      for (const record of ended) {
        equal(await store.record(record.id), record, `what is kept of ${record.id}`);
        await tryToChange(store, record);
        equal(await store.record(record.id), record, `${record.id} after everything that came late`);
      }
    },
  ),
];
