import type { StoredRunEvent, StreamGap } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { BATCH, overflow } from "./overflow.ts";
import { streamCase } from "./stream.ts";

export const slowReaderCases = [
  streamCase(
    "slow-reader",
    ["ES-9", "ES-7"],
    "a reader that stands still delays nobody, holds a bounded amount, and is told what it missed",
    async (t, stream) => {
      const { maxEvents } = stream.port.capabilities;
      await stream.write("s", "w", 1, BATCH);
      const slow = stream.port.follow("s")[Symbol.asyncIterator]();
      const read: (StoredRunEvent | StreamGap)[] = [];
      const next = async () => {
        const { value, done } = await slow.next();
        if (!done) read.push(value);
        return done !== true;
      };
      await next();
      const quick = stream.follow("s");
      const keepUp = (written: number) =>
        t.until("a quick reader keeps up meanwhile", () => quick.events.at(-1)?.sequence === written);
      const first = await overflow(t, stream, BATCH, keepUp);
      const { last } = await overflow(t, stream, first.last, keepUp);
      await stream.finish("s");
      await quick.ended;
      equal([quick.sequences.length, quick.gaps], [last + 1, []], "the quick reader missed nothing");
      while (await next());

      let at = 0;
      let held: number | undefined;
      for (const entry of read) {
        const [from, to] = "gap" in entry ? [entry.gap.from, entry.gap.to] : [entry.sequence, entry.sequence];
        equal(from, at + 1, "events and gaps follow on each other");
        assert(to >= from, "a gap is not empty");
        if ("gap" in entry) held ??= at;
        at = to;
      }
      equal(at, last + 1, "the slow reader comes to the end");
      held ??= at;
      assert(held <= maxEvents, `it held ${held} events while ${last} came`);
    },
  ),
];
