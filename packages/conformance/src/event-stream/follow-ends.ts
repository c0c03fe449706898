import { equal } from "../assert.ts";
import { openStream, streamCase } from "./stream.ts";

export const followEndsCases = [
  streamCase(
    "follow-ends",
    ["ES-6"],
    "following ends after the terminal event, also when all is over",
    async (t, stream) => {
      const reader = await openStream(t);
      const early = reader.follow("s");
      await stream.write("s", "w", 1, 3);
      await t.until("the early follower is live", () => early.events.length === 3);
      const live = reader.follow("s", 3);
      await stream.finish("s", { event: "lifecycle.failed" });
      await early.ended;
      await live.ended;
      const late = reader.follow("s");
      await late.ended;
      const last = reader.follow("s", 4);
      await last.ended;
      equal(
        [early.sequences, live.sequences, late.sequences, last.sequences],
        [[1, 2, 3, 4], [4], [1, 2, 3, 4], []],
        "what each was given",
      );
      equal(late.events.at(-1)?.event, "lifecycle.failed", "the last event");
    },
  ),
];
