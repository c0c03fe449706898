import { isIntermodalError } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import { openStream, Stream, sequences, streamCase } from "./stream.ts";

const BOUND_MS = 60_000;
const BACK = { withinMs: 60_000 };

/** Repeats what rejects with `UNAVAILABLE`, as a caller would. */
function persist(t: CaseContext, what: string, step: () => Promise<unknown>): Promise<void> {
  return t.until(
    what,
    () =>
      step().then(
        () => true,
        (error: unknown) => {
          if (isIntermodalError(error, "UNAVAILABLE")) return false;
          throw error;
        },
      ),
    BACK,
  );
}

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

  streamCase(
    "closed",
    ["ES-14"],
    "after close every method rejects with CLOSED, and followers end with it",
    async (t, stream) => {
      const adapter = await t.open();
      assert(adapter.eventStream !== undefined, "the adapter has an event stream");
      const closing = new Stream(adapter.eventStream, t);
      await closing.write("s", "w", 1, 2);
      const live = closing.follow("s");
      const waiting = closing.follow("none");
      const other = stream.follow("s");
      await t.until("they are live", () => live.events.length === 2 && other.events.length === 2);
      await adapter.close();
      await rejects("a live follower", "CLOSED", live.ended);
      await rejects("a waiting follower", "CLOSED", waiting.ended);
      await rejects("append after close", "CLOSED", () => closing.write("s", "w", 3, 3));
      await rejects("read after close", "CLOSED", () => closing.port.read("s"));
      await rejects("finish after close", "CLOSED", () => closing.finish("s"));
      await rejects("follow after close", "CLOSED", () => closing.follow("s").ended);
      await stream.finish("s");
      await other.ended;
      equal(other.sequences, [1, 2, 3], "another client's follower goes on");
    },
  ),

  streamCase(
    "unreachable",
    ["ES-14"],
    "while the store is away append, finish and read reject in a bounded time, and work again afterwards",
    async (t) => {
      const adapter = await t.open();
      assert(adapter.eventStream !== undefined, "the adapter has an event stream");
      const stream = new Stream(adapter.eventStream, t);
      await stream.write("s", "w", 1, 1);
      await t.faults.cut(adapter);
      const started = t.clock.now();
      await Promise.all([
        rejects("append while the store is away", "UNAVAILABLE", () => stream.write("s", "w", 2, 2)),
        rejects("finish while the store is away", "UNAVAILABLE", () => stream.finish("other")),
        rejects("read while the store is away", "UNAVAILABLE", () => stream.port.read("s")),
      ]);
      const took = t.clock.now() - started;
      assert(took <= BOUND_MS, `they reject within ${BOUND_MS} ms (${took} ms)`);
      await t.faults.mend(adapter);
      await persist(t, "an append succeeds again", () => stream.write("s", "w", 2, 2));
      equal((await stream.all("s")).length, 2, "the stream");
    },
    ["cut", "mend"],
  ),
];
