import { systemClock } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { streamCase } from "./stream.ts";

const TTL_MS = 3_000;
/** Servers' clocks differ a little. */
const SLACK_MS = 150;

export const expiryCases = [
  streamCase(
    "finished-expires",
    ["ES-11", "ES-8"],
    "a finished stream is whole for its time, then gone; its cursors are refused",
    async (t, stream) => {
      await stream.write("s", "w", 1, 5);
      await stream.finish("s", { ttlMs: TTL_MS });
      await stream.write("open", "w", 1, 1);
      await stream.write("long", "w", 1, 1);
      await stream.finish("long", { ttlMs: 60_000 });
      await t.sleep(TTL_MS / 2);
      equal((await stream.all("s")).length, 6, "events before its time is over");
      await stream.finish("s", { ttlMs: 60_000 });
      await t.sleep(TTL_MS / 2 + SLACK_MS);
      const gone = await stream.port.read("s");
      equal(
        [gone.events, gone.last, gone.ended],
        [[], 0, false],
        "the stream afterwards: a repeated end did not prolong it",
      );
      await rejects("a cursor from before", "CURSOR_INVALID", () => stream.port.read("s", { after: 3 }));
      await rejects("following from a cursor from before", "CURSOR_INVALID", () => stream.follow("s", 3).ended);
      equal([(await stream.all("open")).length, (await stream.all("long")).length], [1, 2], "others are there");
      equal(await stream.write("s", "w", 1, 1), [1], "the id may be used again");
    },
  ),

  streamCase(
    "unfinished-expires",
    ["ES-11"],
    "a stream that is never finished goes some time after its latest append",
    async (t, stream) => {
      const { safetyTtlMs, ttlGranularityMs } = stream.port.capabilities;
      if (t.clock === systemClock && safetyTtlMs > 10_000)
        t.skip(`unfinished streams are kept for ${safetyTtlMs} ms: too long to wait`);
      assert(Number.isFinite(safetyTtlMs), "it goes some time");
      await stream.write("s", "w", 1, 2);
      await stream.write("untouched", "w", 1, 1);
      await t.sleep(safetyTtlMs * 0.7);
      equal(await stream.write("s", "w", 3, 3), [3], "an append renews it");
      await t.sleep(safetyTtlMs * 0.7);
      equal((await stream.all("s")).length, 3, "events within the time since its latest append");
      equal((await stream.port.read("untouched")).last, 0, "one without an append since");
      await t.sleep(safetyTtlMs * 0.3 + ttlGranularityMs + SLACK_MS);
      const gone = await stream.port.read("s");
      equal([gone.events, gone.last, gone.ended], [[], 0, false], "the stream afterwards");
    },
  ),
];
