import type { StoredRunEvent, StreamGap } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import { type Stream, sequences, streamCase } from "./stream.ts";

const BATCH = 500;

/** Writes on until the cap has taken something. @returns how many were written, and how many of them are gone. */
async function overflow(
  t: CaseContext,
  stream: Stream,
  from = 0,
): Promise<{ readonly last: number; readonly gone: number }> {
  const { maxEvents } = stream.port.capabilities;
  if (!Number.isFinite(maxEvents)) t.skip("this stream has no cap");
  // A cap may be kept approximately, but not without end.
  for (let last = from; last <= from + 2 * maxEvents + 2 * BATCH; last += BATCH) {
    await stream.write("s", "w", last + 1, last + BATCH);
    if (last + BATCH <= maxEvents) continue;
    const { gap } = await stream.port.read("s", { limit: 1 });
    if (gap !== undefined && gap.to > from) return { last: last + BATCH, gone: gap.to };
  }
  throw new Error(`${2 * maxEvents} events were written past a cap of ${maxEvents}, and none is gone`);
}

export const capCases = [
  streamCase(
    "cap",
    ["ES-7"],
    "past the cap the newest are kept, and a reader is told exactly which are gone",
    async (t, stream) => {
      const { maxEvents } = stream.port.capabilities;
      const { last, gone } = await overflow(t, stream);
      assert(last - gone >= maxEvents, `at least ${maxEvents} are kept (${last - gone} of ${last})`);
      const page = await stream.port.read("s", { limit: 5 });
      equal([page.gap, page.last], [{ from: 1, to: gone }, last], "reading from the beginning");
      equal(
        page.events.map(({ sequence }) => sequence),
        sequences(gone + 1, gone + 5),
        "what comes after the gap",
      );
      const middle = await stream.port.read("s", { after: gone - 1, limit: 2 });
      equal(
        [middle.gap, middle.events.map(({ sequence }) => sequence)],
        [{ from: gone, to: gone }, [gone + 1, gone + 2]],
        "reading from the last that is gone",
      );
      const kept = await stream.port.read("s", { after: gone, limit: 2 });
      equal(
        [kept.gap, kept.events.map(({ sequence }) => sequence)],
        [undefined, [gone + 1, gone + 2]],
        "reading from the first that is kept",
      );
      const end = await stream.port.read("s", { after: last - 2 });
      equal(
        [end.gap, end.events.map(({ sequence, data }) => [sequence, data])],
        [
          undefined,
          [
            [last - 1, `w:${last - 1}`],
            [last, `w:${last}`],
          ],
        ],
        "reading the end",
      );

      await stream.finish("s");
      const follower = stream.follow("s", 2);
      await follower.ended;
      const [gap, ...more] = follower.gaps;
      assert(
        gap?.from === 3 && gap.to >= gone && more.length === 0,
        `a follower is told the gap (${JSON.stringify(follower.gaps)})`,
      );
      equal(follower.sequences, sequences(gap.to + 1, last + 1), "and gets all the rest");
    },
  ),

  streamCase(
    "slow-reader",
    ["ES-9", "ES-7"],
    "a reader that stands still delays nobody, holds a bounded amount, and is told what it missed",
    async (t, stream) => {
      const { maxEvents } = stream.port.capabilities;
      await stream.write("s", "w", 1, BATCH);
      const iterable = stream.port.follow("s");
      assert(iterable !== undefined, "follow returns an iterable");
      const slow = iterable[Symbol.asyncIterator]();
      const read: (StoredRunEvent | StreamGap)[] = [];
      const next = async () => {
        const { value, done } = await slow.next();
        if (!done) read.push(value);
        return done !== true;
      };
      await next();
      const quick = stream.follow("s");
      const first = await overflow(t, stream, BATCH);
      const { last } = await overflow(t, stream, first.last);
      await stream.finish("s");
      await quick.ended;
      equal(quick.events.at(-1)?.sequence, last + 1, "a quick reader is at the end meanwhile");
      while (await next());

      let at = 0;
      let held = 0;
      for (const entry of read) {
        const [from, to] = "gap" in entry ? [entry.gap.from, entry.gap.to] : [entry.sequence, entry.sequence];
        equal(from, at + 1, "events and gaps follow on each other");
        assert(to >= from, "a gap is not empty");
        if ("gap" in entry && held === 0) held = at;
        at = to;
      }
      equal(at, last + 1, "the slow reader comes to the end");
      assert(held > 0 && held <= maxEvents, `it held ${held} events while ${last} came`);
    },
  ),
];
