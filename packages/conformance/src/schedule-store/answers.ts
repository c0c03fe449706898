import { assert, equal } from "../assert.ts";
import { definition, draft, scheduleCase } from "./client.ts";

export const answerCases = [
  scheduleCase(
    "batches",
    ["SC-5"],
    "answers stand in the order of the batch, with the store's time",
    async (t, client) => {
      const before = t.clock.now();
      const names = ["b", "a", "d", "c"];
      const outcomes = await client.port.put(
        names.map((name, at) => ({ name, expected: undefined, schedule: draft({ fires: at }) })),
      );
      equal(
        outcomes.map(({ schedule }) => schedule?.name),
        names,
        "answers to put",
      );
      const mixed = await client.port.put([
        { name: "c", expected: "another", schedule: draft() },
        { name: "e", expected: undefined, schedule: draft() },
        { name: "a", expected: undefined, schedule: draft() },
      ]);
      equal(
        mixed.map(({ written, schedule }) => [written, schedule?.name, schedule?.fires]),
        [
          [false, "c", 3],
          [true, "e", 0],
          [false, "a", 1],
        ],
        "a batch some of which is not written",
      );
      const { schedules, now } = await client.port.get(["c", "none", "a", "c"]);
      equal(
        schedules.map((schedule) => schedule?.name),
        ["c", undefined, "a", "c"],
        "answers to get",
      );
      // Servers' clocks differ a little.
      assert(Math.abs(now - before) < 60_000, `the store's time is the time of day (${now}, about ${before})`);
      equal([await client.port.put([]), (await client.port.get([])).schedules], [[], []], "empty batches");
      await client.port.remove([]);
    },
  ),

  scheduleCase(
    "times",
    ["SC-5"],
    "each write is stamped by the store's clock; the first one's time stays",
    async (t, client) => {
      const begun = await client.now();
      const first = await client.write("a");
      equal(first.createdAt, first.updatedAt, "the times of the first write");
      assert(first.createdAt >= begun && first.createdAt <= (await client.now()), "the first write is stamped");
      await t.sleep(20);
      const second = await client.write("a", {}, first);
      equal(second.createdAt, first.createdAt, "when it came about");
      assert(second.updatedAt > first.updatedAt, "the second write is stamped");
      assert(second.updatedAt <= (await client.now()), "by the same clock that is told");
    },
  ),

  scheduleCase("snapshots", ["SC-7"], "what was given and what is returned are snapshots", async (_t, client) => {
    const input = { list: [1] };
    const written = await client.write("a", { definition: definition({ input }) });
    input.list.push(2);
    const returned = written.definition as { type: string };
    try {
      returned.type = "other";
    } catch {
      // Frozen is as good.
    }
    equal((await client.schedule("a")).definition, definition({ input: { list: [1] } }), "the definition that is kept");
  }),
];
