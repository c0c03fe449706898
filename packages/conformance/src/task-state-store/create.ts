import { assert, equal } from "../assert.ts";
import { openStores, storeCase } from "./declare.ts";

export const createCases = [
  storeCase("create-idempotent", ["TS-1"], "the same submit again is the same task", async (t, store) => {
    const draft = store.draft("a", { input: { x: 1, y: [true, null] }, userId: "u" });
    const first = await store.create(draft);
    equal(first.kind, "created", "the first create");
    equal(first.record.status, "QUEUED", "status of a new record");
    equal(
      [first.record.series, first.record.sends, first.record.attempts],
      [1, 1, 0],
      "series, sends and attempts of a new record",
    );

    const again = await store.create({ ...draft, input: { y: [true, null], x: 1 }, createdAt: t.clock.now() + 5 });
    equal(again.kind, "existing", "the same again, keys of its input in another order");
    assert(again.kind === "existing" && again.resend, "a record that was not marked as sent is sent once more");
    equal([again.record.series, again.record.sends], [1, 2], "series and sends of the second submit");
    equal(again.record.createdAt, draft.createdAt, "the first submit's time stands");

    await store.port.markSent([{ id: "a", series: 1, send: 1 }]);
    equal((await store.record("a")).sentAt, undefined, "the mark of an older send changes nothing");
    await store.port.markSent([{ id: "a", series: 1, send: 2 }]);
    assert((await store.record("a")).sentAt !== undefined, "the mark of the latest send is noted");

    const before = await store.record("a");
    const sent = await store.create(draft);
    assert(sent.kind === "existing" && !sent.resend, "a record that was sent needs no other send");
    equal(await store.record("a"), before, "the record is as it was");
  }),

  storeCase(
    "create-conflict",
    ["TS-1"],
    "the same id for another task is refused and changes nothing",
    async (_t, store) => {
      const before = await store.make("a", { input: { x: 1 } });
      for (const [what, other] of [
        ["type", store.draft("a", { input: { x: 1 }, type: "conformance.other" })],
        ["input", store.draft("a", { input: { x: 2 } })],
        ["shape of the input", store.draft("a", { input: { x: 1, y: null } })],
        ["parent", store.draft("a", { input: { x: 1 }, parentId: "p", key: "k" })],
      ] as const) {
        const { kind, record } = await store.create(other);
        equal(kind, "conflict", `another ${what}`);
        equal(record, before, "the answer shows the record that is there");
        equal(await store.record("a"), before, `after a create with another ${what}`);
      }
    },
  ),

  storeCase("create-sub-task", ["TS-1"], "a recorded sub-task wins over a changed input", async (_t, store) => {
    const child = { parentId: "p", rootId: "p", key: "k", parentSeries: 1 };
    await store.make("c", { ...child, input: "first" });
    const again = await store.create(store.draft("c", { ...child, input: "second" }));
    equal(again.kind, "existing", "a sub-task with a changed input");
    equal((await store.record("c")).input, "first", "the recorded input");
  }),

  storeCase(
    "create-concurrent",
    ["TS-1"],
    "of many simultaneous submits of one id one creates, and each has a send of its own",
    async (t, store) => {
      const stores = [store, ...(await openStores(t, 4))];
      for (let round = 0; round < t.size(50, 8); round++) {
        const draft = store.draft(`r${round}`);
        const outcomes = await Promise.all(stores.flatMap((one) => [one.create(draft), one.create(draft)]));
        equal(outcomes.filter(({ kind }) => kind === "created").length, 1, "how many created it");
        equal(outcomes.filter(({ kind }) => kind === "existing").length, outcomes.length - 1, "how many found it");
        equal(new Set(outcomes.map(({ record }) => record.sends)).size, outcomes.length, "different send numbers");
      }
      const batch = await store.port.create([store.draft("twice"), store.draft("other"), store.draft("twice")]);
      equal(
        batch.map(({ kind, record }) => `${kind} ${record.id}`),
        ["created twice", "created other", "existing twice"],
        "one id twice in a batch",
      );
    },
  ),

  storeCase(
    "tombstone",
    ["TS-1", "TS-12"],
    "a reserved sub-task that must never start is created as CANCELLED",
    async (_t, store) => {
      const child = { parentId: "p", rootId: "p", key: "k", parentSeries: 1 };
      const { kind, record } = await store.create({ ...store.draft("c", child), tombstone: true });
      equal([kind, record.status, record.duties], ["created", "CANCELLED", ["tell-parent"]], "a tombstone");
      await store.refused("c", "finished", { draft: store.draft("c", child) });
      const late = await store.create(store.draft("c", child));
      assert(
        late.kind === "existing" || late.kind === "conflict",
        "an attempt of the same series does not bring it back",
      );
      equal((await store.record("c")).status, "CANCELLED", "status of the tombstone");
      const reopened = await store.create(store.draft("c", { ...child, parentSeries: 2 }));
      equal(
        [reopened.kind, reopened.record.status, reopened.record.series],
        ["reopened", "QUEUED", 2],
        "the parent's next series brings it back",
      );
    },
  ),
];
