import type { ScheduleOutcome } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { Client, draft, openClient, persist, scheduleCase } from "./client.ts";

const CLIENTS = 5;
const WRITERS = 25;

export const putCases = [
  scheduleCase(
    "put",
    ["SC-1"],
    "a write takes effect on the revision it expects, and on no other",
    async (_t, client) => {
      const first = draft({ nextAt: 5 });
      equal(
        await client.put("a", "r0", draft()),
        { written: false, schedule: undefined },
        "where there is no schedule",
      );
      equal(await client.get("a"), undefined, "nothing came of it");
      const written = await client.put("a", undefined, first);
      assert(written.written, "the first write");
      const kept = await client.schedule("a");
      equal(written.schedule, kept, "what is answered is what is kept");
      equal(await client.put("a", undefined, draft()), { written: false, schedule: kept }, "another first write");
      equal(await client.put("a", "r0", draft()), { written: false, schedule: kept }, "a write on another revision");
      equal(await client.schedule("a"), kept, "what was refused changed nothing");
      const second = await client.write("a", { state: "paused", nextAt: 6, fires: 1, lastDueAt: 5 }, kept);
      equal([second.state, second.nextAt, second.fires, second.lastDueAt], ["paused", 6, 1, 5], "the second write");
      const third = await client.write("a", { state: "stopped" }, second);
      equal([third.nextAt, third.fires, third.lastDueAt], [undefined, 0, undefined], "what a write leaves out is gone");
      equal(
        await client.put("a", kept.revision, draft()),
        { written: false, schedule: third },
        "a write on an old revision",
      );
    },
  ),

  scheduleCase(
    "put-race",
    ["SC-1"],
    "of simultaneous writes that expect the same, exactly one is written",
    async (t, client) => {
      const clients = [client, ...(await Promise.all(Array.from({ length: CLIENTS - 1 }, () => openClient(t))))];
      let expected: string | undefined;
      for (let round = 0; round < t.size(100, 20); round++) {
        const drafts = Array.from({ length: WRITERS }, (_, at) => draft({ fires: at }));
        const outcomes = await Promise.all(
          drafts.map((schedule, at) => (clients[at % CLIENTS] as Client).put("a", expected, schedule)),
        );
        const winners = outcomes.filter(({ written }) => written);
        equal(winners.length, 1, `writes of ${WRITERS} that were written`);
        const kept = await client.schedule("a");
        for (const { schedule } of outcomes) equal(schedule, kept, "every writer is told how it stands");
        expected = kept.revision;
      }
    },
  ),

  scheduleCase(
    "put-repeated",
    ["SC-2"],
    "a write that is repeated is answered as written, and changes nothing",
    async (t, client) => {
      const schedule = draft();
      const write = { name: "a", expected: undefined, schedule };
      const first = await client.put("a", undefined, schedule);
      await t.sleep(20);
      equal(await client.put("a", undefined, schedule), first, "the same write again");
      equal(await client.schedule("a"), first.schedule, "what is kept");
      const twice = { name: "b", expected: undefined, schedule: draft() };
      const outcomes = await client.port.put([twice, write, twice]);
      equal(
        outcomes.map(({ written }) => written),
        [true, true, true],
        "in one batch",
      );
      const next = await client.write("a", {}, await client.schedule("a"));
      equal(await client.put("a", undefined, schedule), { written: false, schedule: next }, "after another write");
    },
  ),

  scheduleCase(
    "put-lost",
    ["SC-2"],
    "a write whose answer was lost is written once, and answered when it is repeated",
    async (t, client) => {
      const adapter = await t.open();
      assert(adapter.scheduleStore !== undefined, "the adapter has a schedule store");
      const unlucky = new Client(adapter.scheduleStore);
      await client.write("a");
      for (let round = 0; round < 3; round++) {
        const { revision } = await client.schedule("a");
        const schedule = draft({ fires: round + 1 });
        const outcomes: ScheduleOutcome[] = [];
        await t.faults.loseAnswers(adapter, 1);
        await persist(t, "the write is answered", async () => {
          outcomes.push(await unlucky.put("a", revision, schedule));
        });
        equal(outcomes, [{ written: true, schedule: await client.schedule("a") }], "the answer");
        equal((await client.schedule("a")).fires, round + 1, "what is kept");
      }
      await t.faults.loseAnswers(adapter, 1);
      await persist(t, "the removal is answered", () => unlucky.port.remove(["a"]));
      equal(await client.get("a"), undefined, "it is removed");
    },
    ["loseAnswers"],
  ),
];
