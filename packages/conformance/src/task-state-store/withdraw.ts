import { assert, equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";

export const withdrawCases = [
  storeCase(
    "withdraw",
    ["TS-2", "TS-10"],
    "a submit whose send failed is taken back, and reopened when it is submitted again",
    async (_t, store) => {
      await store.make("a", { input: 1 });
      equal(await store.withdraw("a", 1, 1), true, "withdrawn");
      const withdrawn = await store.record("a");
      equal([withdrawn.status, withdrawn.withdrawn], ["CANCELLED", true], "status of a withdrawn submit");
      const refusal = await store.refused("a", "finished");
      equal(refusal.record?.withdrawn, true, "its message, should it come, is told why");

      const again = await store.create(store.draft("a", { input: 2 }));
      equal(
        [again.kind, again.record.status, again.record.withdrawn],
        ["reopened", "QUEUED", false],
        "submitted again",
      );
      equal(
        [again.record.series, again.record.sends, again.record.input],
        [2, 1, 2],
        "series, sends and input of the new submit",
      );
      assert(again.record.version > withdrawn.version, "version rises");
      await store.refused("a", "superseded", { series: 1 });
      equal((await store.take("a", { series: 2 })).record.attempts, 1, "the new series' message is claimed");
    },
  ),

  storeCase(
    "withdraw-refused",
    ["TS-2"],
    "what somebody has claimed, or what arrived, is not taken back",
    async (_t, store) => {
      await store.make("claimed");
      const { lease } = await store.take("claimed");
      equal(await store.withdraw("claimed", 1, 1), false, "of a claimed task");
      await store.end(lease, { kind: "retry", error: { name: "Error", message: "again" }, delayMs: 0 });
      equal(await store.withdraw("claimed", 1, 1), false, "of a task that will be tried again");
      equal((await store.record("claimed")).status, "RETRYING", "status afterwards");

      await store.make("arrived");
      await store.port.markSent([{ id: "arrived", series: 1, send: 1 }]);
      equal(await store.withdraw("arrived", 1, 1), false, "of a task that is marked as sent");

      await store.make("other");
      equal(await store.withdraw("other", 2, 1), false, "by another series' mark");
      equal(await store.withdraw("other", 1, 2), false, "by another send's mark");
      equal(await store.withdraw("missing", 1, 1), false, "of a task that is not there");
      equal((await store.record("other")).status, "QUEUED", "status afterwards");
    },
  ),

  storeCase(
    "withdraw-two-submitters",
    ["TS-2"],
    "one submitter's withdrawal never takes back what another one sent",
    async (t, store) => {
      const other = await openStore(t);
      const draft = store.draft("a");
      const mine = await store.create(draft);
      const theirs = await other.create(draft);
      equal([mine.record.sends, theirs.record.sends], [1, 2], "each has a send of its own");
      for (const time of ["", " (told again)"]) {
        equal(
          await store.withdraw("a", 1, 1),
          false,
          `the first one's send failed, the second one's may arrive${time}`,
        );
        equal((await store.record("a")).status, "QUEUED", "after the first one's withdrawal");
      }
      equal(await other.withdraw("a", 1, 2), true, "both failed");
      equal((await store.record("a")).withdrawn, true, "after both withdrawals");

      for (const [id, marked] of [
        ["b", false],
        ["c", true],
      ] as const) {
        await store.make(id);
        await other.create(store.draft(id));
        if (marked) await store.port.markSent([{ id, series: 1, send: 1 }]);
        equal(await other.withdraw(id, 1, 2), false, "the first one's send may have arrived, the second one's failed");
        equal((await store.record(id)).status, "QUEUED", "after the second one's withdrawal");
        await store.take(id);
      }
    },
  ),

  storeCase(
    "withdraw-or-claim",
    ["TS-2", "TS-3"],
    "of a withdrawal and a claim at the same time exactly one succeeds",
    async (t, store) => {
      const other = await openStore(t);
      for (let round = 0; round < t.size(100, 20); round++) {
        const id = `r${round}`;
        await store.make(id);
        const claim = () => other.claim(id);
        const withdraw = () => store.withdraw(id, 1, 1);
        const [claimed, withdrawn] =
          round % 2 === 0
            ? await Promise.all([claim(), withdraw()])
            : await Promise.all([withdraw(), claim()] as const).then(([w, c]) => [c, w] as const);
        assert(claimed.claimed !== withdrawn, `claimed ${claimed.claimed}, withdrawn ${withdrawn}`);
        equal((await store.record(id)).status, withdrawn ? "CANCELLED" : "RUNNING", "the status says who succeeded");
      }
    },
  ),
];
