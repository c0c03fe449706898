import { equal, rejects } from "../assert.ts";
import { openStreams, streamCase } from "./stream.ts";

export const cursorCases = [
  streamCase(
    "unknown-cursor",
    ["ES-8"],
    "a cursor that the stream never had is refused, reading and following",
    async (t, stream) => {
      const [other] = await openStreams(t, 1);
      await stream.write("s", "w", 1, 3);
      for (const after of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 4, 1_000_000, Number.MAX_SAFE_INTEGER]) {
        await rejects(`reading after ${after}`, "CURSOR_INVALID", () => stream.port.read("s", { after }));
        await rejects(`following after ${after}`, "CURSOR_INVALID", () => other?.follow("s", after).ended);
      }
      await rejects("reading a stream without events after 1", "CURSOR_INVALID", () =>
        stream.port.read("none", { after: 1 }),
      );
      await rejects(
        "following a stream without events after 1",
        "CURSOR_INVALID",
        () => stream.follow("none", 1).ended,
      );
      equal((await stream.port.read("s", { after: 3 })).events, [], "after the last");
      await stream.finish("s");
      await rejects("reading after the end and more", "CURSOR_INVALID", () => stream.port.read("s", { after: 5 }));
      await rejects("following after the end and more", "CURSOR_INVALID", () => stream.follow("s", 5).ended);
      equal((await stream.port.read("s", { after: 4 })).events, [], "after the end");
    },
  ),
];
