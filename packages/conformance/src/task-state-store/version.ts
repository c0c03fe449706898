import type { TaskRecord } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";
import { errorInfo } from "./store.ts";

const RETRY = { kind: "retry", error: errorInfo(), delayMs: 0 } as const;

export const versionCases = [
  storeCase("version", ["TS-19"], "version rises at every write, and at no read", async (_t, store) => {
    await store.make("p");
    let lease = { id: "p", token: 0, expiresAt: 0, leaseMs: 60_000 };
    const take = async (series = 1) => {
      ({ lease } = await store.take("p", { series, owes: ["announce"] }));
    };
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["withdraw", () => store.withdraw("p", 1, 1)],
      ["create (reopens)", () => store.create(store.draft("p"))],
      ["create (sends again)", () => store.create(store.draft("p"))],
      ["markSent", () => store.port.markSent([{ id: "p", series: 2, send: 2 }])],
      ["claim", () => take(2)],
      ["renew", () => store.renew(lease)],
      ["reserve", () => store.reserve(lease, "k", "p/k")],
      ["settle (retry)", () => store.end(lease, RETRY)],
      ["claim (again)", () => take(2)],
      ["settle (release)", () => store.end(lease, { kind: "released" })],
      ["claim (once more)", () => take(2)],
      ["settle (completed)", () => store.end(lease, { kind: "completed" })],
      ["childEnded", () => store.childEnded("p", "k", "FAILED")],
      ["dutiesDone", () => store.done("p", ["announce"], 2)],
      ["reopenChild", () => store.port.reopenChild({ parentId: "p", key: "k", childId: "p/k", childSeries: 2 })],
      ["requestCancel", () => store.cancel("p")],
    ];
    let before: TaskRecord = await store.record("p");
    for (const [what, step] of steps) {
      await step();
      const after = await store.record("p");
      assert(after.version > before.version, `version rises at ${what} (${before.version} → ${after.version})`);
      before = after;
    }
    await store.port.list({});
    await store.refused("p", "superseded");
    await store.port.markSent([{ id: "p", series: 1, send: 1 }]);
    equal((await store.record("p")).version, before.version, "after reads and steps that changed nothing");
  }),

  storeCase("version-concurrent", ["TS-19"], "simultaneous writes each raise it: none is lost", async (t, store) => {
    const writes = t.size(200, 40);
    const stores = [store, ...(await openStores(t, writes / 2 - 1))];
    await store.make("a");
    const { lease, record } = await store.take("a");
    await Promise.all(
      Array.from({ length: writes }, (_, at) => stores[at % stores.length]?.renew(lease, { progress: at })),
    );
    const { version } = await store.record("a");
    assert(version >= record.version + writes, `${writes} writes raised it from ${record.version} to ${version}`);
  }),
];
