import { assert, equal, rejects } from "../assert.ts";
import { BACK, persist } from "./persist.ts";
import { openStream, Stream, sequences, streamCase } from "./stream.ts";

export const outageCases = [
  streamCase(
    "follow-over-cut",
    ["ES-13"],
    "a follower survives cuts of its connection and misses nothing",
    async (t, writer) => {
      const adapter = await t.open();
      assert(adapter.eventStream !== undefined, "the adapter has an event stream");
      const reader = new Stream(adapter.eventStream, t);
      await writer.write("s", "w", 1, 3);
      const live = reader.follow("s");
      await t.until("the follower is live", () => live.events.length === 3);
      for (let from = 4; from <= 12; from += 3) {
        await t.faults.cut(adapter);
        await writer.write("s", "w", from, from + 1);
        await t.sleep(50);
        await t.faults.mend(adapter);
        await writer.write("s", "w", from + 2, from + 2);
        await t.until("it has caught up", () => live.events.length >= from + 2, BACK);
      }
      await t.faults.cut(adapter);
      const begun = reader.follow("s", 5);
      await writer.finish("s");
      await t.sleep(50);
      await t.faults.mend(adapter);
      await live.ended;
      await begun.ended;
      equal(live.sequences, sequences(1, 13), "what the follower was given");
      equal(begun.sequences, sequences(6, 13), "what one was given that began during a cut");
      equal([live.gaps, begun.gaps], [[], []], "gaps");
    },
    ["cut", "mend"],
  ),

  streamCase(
    "follow-over-restart",
    ["ES-13"],
    "followers survive restarts of the store and miss nothing",
    async (t, writer) => {
      const reader = await openStream(t);
      const follower = reader.follow("s");
      for (let from = 1; from <= 7; from += 3) {
        await persist(t, "an append succeeds", () => writer.write("s", "w", from, from + 2));
        await t.faults.stop();
        await rejects("an append while the store is stopped", "UNAVAILABLE", () =>
          writer.write("s", "w", from + 3, from + 3),
        );
        await t.faults.start();
      }
      await persist(t, "finish succeeds", () => writer.finish("s"));
      await follower.ended;
      equal(
        follower.sequences,
        sequences(1, follower.events.at(-1)?.sequence ?? 0),
        "what the follower was given has no hole",
      );
      const ns = follower.events.slice(0, -1).map(({ data }) => data);
      const expected = sequences(1, ns.length).map((n) => `w:${n}`);
      equal(ns, expected, "every event once, in order");
      assert(ns.length >= 9, "everything that was acknowledged");
    },
    ["stop", "start"],
  ),
];
