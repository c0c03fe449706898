import { assert, equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";

export const claimCreatesCases = [
  storeCase(
    "claim-creates",
    ["TS-9"],
    "a claim that finds no record creates it from its message",
    async (_t, store) => {
      const draft = store.draft("a", {
        input: { x: [1] },
        userId: "u",
        traceparent: "00-1-2-03",
        series: 3,
        queue: "q",
      });
      const { record, lease } = await store.take("a", { draft, series: 3 });
      equal(
        [record.status, record.attempts, record.series],
        ["RUNNING", 1, 3],
        "status, attempts and series of the record",
      );
      equal(
        [record.input, record.userId, record.traceparent, record.queue, record.createdAt],
        [draft.input, "u", "00-1-2-03", "q", draft.createdAt],
        "what the record took from the message",
      );
      assert(record.sentAt !== undefined, "a message that is here has been sent");
      equal(await store.record("a"), record, "what is kept");
      await store.refused("a", "running", { draft, series: 3 });
      await store.end(lease, { kind: "completed" });
      await store.refused("a", "finished", { draft, series: 3 });
    },
  ),

  storeCase(
    "claim-creates-once",
    ["TS-9", "TS-3"],
    "of simultaneous claims without a record one creates it and gets the lease",
    async (t, store) => {
      const stores = [store, ...(await openStores(t, 4))];
      for (let round = 0; round < t.size(50, 8); round++) {
        const draft = store.draft(`r${round}`);
        const outcomes = await Promise.all(
          stores.flatMap((one) => [one.claim(draft.id, { draft }), one.claim(draft.id, { draft }), one.create(draft)]),
        );
        equal(outcomes.filter((outcome) => "claimed" in outcome && outcome.claimed).length, 1, "winners");
        equal((await store.record(draft.id)).attempts, 1, "attempts");
      }
    },
  ),

  storeCase(
    "claim-keeps-record",
    ["TS-9"],
    "where there is a record the message's draft changes nothing",
    async (_t, store) => {
      await store.make("a", { input: "recorded" });
      const { record } = await store.take("a", { draft: store.draft("a", { input: "from the message" }) });
      equal(record.input, "recorded", "input");
    },
  ),

  storeCase(
    "claim-too-old",
    ["TS-9"],
    "a message older than its retention, or without a draft, creates nothing",
    async (t, store) => {
      const old = store.draft("old", { createdAt: t.clock.now() - 11_000, retentionMs: 10_000 });
      await store.refused("old", "not-found", { draft: old });
      await store.refused("bare", "not-found");
      equal([await store.get("old"), await store.get("bare")], [undefined, undefined], "records afterwards");
      const young = store.draft("young", { createdAt: t.clock.now() - 8_000, retentionMs: 10_000 });
      await store.take("young", { draft: young });
    },
  ),
];
