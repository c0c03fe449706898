import { assert, equal, rejects } from "../assert.ts";
import { persist } from "./persist.ts";
import { Stream, streamCase } from "./stream.ts";

/** Longer than any store may let a caller wait. */
const BOUND_MS = 60_000;

export const closedCases = [
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
