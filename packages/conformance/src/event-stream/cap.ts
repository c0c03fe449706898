import { assert, equal } from "../assert.ts";
import { overflow } from "./overflow.ts";
import { sequences, streamCase } from "./stream.ts";

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
];
