import { type BatchError, isIntermodalError } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { dataOf, openStreams, sequences, streamCase } from "./stream.ts";

export const endCases = [
  streamCase(
    "ended",
    ["ES-3"],
    "after the terminal event every append is refused, and the first terminal event stands",
    async (t, stream) => {
      const [other] = await openStreams(t, 1);
      await stream.write("s", "w", 1, 2);
      equal((await stream.port.read("s")).ended, false, "before the end");
      await stream.finish("s", { data: "first" });
      const before = await stream.port.read("s");
      equal(
        [before.last, before.ended, before.events.at(-1)?.event],
        [3, true, "lifecycle.completed"],
        "after the end",
      );
      await rejects("an append", "STREAM_ENDED", () => stream.write("s", "w", 3, 3));
      await rejects("another client's append", "STREAM_ENDED", () => other?.write("s", "v", 1, 2));
      await stream.finish("s", { data: "first" });
      await stream.finish("s", { event: "lifecycle.failed", data: "second", n: 2 });
      await other?.finish("s", { event: "lifecycle.failed", data: "third", writer: "other" });
      equal(await stream.port.read("s"), before, "the stream afterwards");
      await stream.finish("empty", { data: "only" });
      equal(dataOf(await stream.all("empty")), ["only"], "a stream that had nothing");
    },
  ),

  streamCase("ended-in-batch", ["ES-3"], "an ended stream in a batch fails alone", async (_t, stream) => {
    await stream.finish("over");
    const batch = stream.port.append([
      { streamId: "a", events: stream.events("w", 1, 2) },
      { streamId: "over", events: stream.events("w", 1, 1) },
      { streamId: "b", events: stream.events("w", 1, 1) },
    ]);
    const error = await rejects("the batch", "STREAM_ENDED", batch);
    const { failures } = error as Partial<BatchError>;
    assert(failures !== undefined, "it rejects with a BatchError");
    equal(
      failures.map((failure) => failure?.code),
      [undefined, "STREAM_ENDED", undefined],
      "which of them failed",
    );
    equal(dataOf(await stream.all("a")), ["w:1", "w:2"], "the one before it");
    equal(dataOf(await stream.all("b")), ["w:1"], "the one after it");
  }),

  streamCase(
    "ended-concurrent",
    ["ES-3", "ES-1"],
    "of simultaneous ends one stands; what was acknowledged is before it, what was refused is nowhere",
    async (t, stream) => {
      const streams = [stream, ...(await openStreams(t, 3))];
      for (let round = 0; round < t.size(50, 10); round++) {
        const id = `s${round}`;
        const acknowledged = new Set<string>();
        const writing = streams.map(async (one, client) => {
          for (let n = 1; n <= 12; n++) {
            try {
              await one.write(id, `w${client}`, n, n);
              acknowledged.add(`w${client}:${n}`);
            } catch (error) {
              if (isIntermodalError(error, "STREAM_ENDED")) return;
              throw error;
            }
          }
        });
        await stream.write(id, "first", 1, 1 + (round % 4));
        await Promise.all(
          streams.map((one, client) => one.finish(id, { writer: `end${client}`, data: `end${client}` })),
        );
        await Promise.all(writing);
        const events = await stream.all(id);
        equal(
          events.map(({ sequence }) => sequence),
          sequences(1, events.length),
          "sequences",
        );
        equal(
          events.filter(({ event }) => event === "lifecycle.completed").map(({ sequence }) => sequence),
          [events.length],
          "the end is the last, and the only one",
        );
        const stored = dataOf(events).filter((data) => String(data).startsWith("w"));
        equal(new Set(stored), acknowledged, "what was acknowledged");
      }
    },
  ),
];
