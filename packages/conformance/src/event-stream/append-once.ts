import { isIntermodalError } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { overflow } from "./overflow.ts";
import { dataOf, openStreams, Stream, streamCase } from "./stream.ts";

export const appendOnceCases = [
  streamCase(
    "append-once",
    ["ES-2"],
    "an append that is repeated is stored once and returns the first sequences",
    async (t, stream) => {
      const [other] = await openStreams(t, 1);
      equal(await stream.write("s", "a", 1, 3), [1, 2, 3], "the first time");
      equal(await stream.write("s", "b", 1, 1), [4], "another writer");
      equal(await stream.write("s", "a", 1, 3), [1, 2, 3], "the same again");
      equal(await other?.write("s", "a", 1, 3), [1, 2, 3], "the same by another client");
      equal(await stream.write("s", "a", 2, 5), [2, 3, 5, 6], "partly the same");
      equal(await stream.write("s", "a", 5, 5), [6], "the last one again");
      equal(dataOf(await stream.all("s")), ["a:1", "a:2", "a:3", "b:1", "a:4", "a:5"], "the stream");
      equal(await stream.write("t", "a", 1, 1), [1], "the same writer's event in another stream");
    },
  ),

  streamCase(
    "append-once-concurrent",
    ["ES-2", "ES-1"],
    "the same append from everywhere at once is stored once",
    async (t, stream) => {
      const streams = [stream, ...(await openStreams(t, 4))];
      for (let round = 0; round < t.size(50, 10); round++) {
        const answers = await Promise.all(
          streams.flatMap((one) => [
            one.write("s", "w", round * 3 + 1, round * 3 + 3),
            one.write(`t${round}`, "w", 1, 2),
          ]),
        );
        for (const [at, answer] of answers.entries())
          equal(answer, at % 2 === 0 ? answers[0] : [1, 2], "every answer is the same");
      }
      const events = await stream.all("s");
      equal(
        dataOf(events),
        events.map((_, at) => `w:${at + 1}`),
        "the stream",
      );
      equal(events.length, t.size(50, 10) * 3, "its length");
    },
  ),

  streamCase(
    "append-once-gone",
    ["ES-2", "ES-7"],
    "an append that is repeated when the cap has taken it is answered or refused, and not stored again",
    async (t, stream) => {
      const [other] = await openStreams(t, 1);
      equal(await stream.write("s", "early", 1, 3), [1, 2, 3], "the first time");
      const { last, gone } = await overflow(t, stream);
      assert(gone >= 3, `the cap has taken them (it took ${gone})`);
      for (const one of [other, stream]) {
        const answer = await one?.write("s", "early", 1, 3).catch((error: unknown) => error);
        if (!isIntermodalError(answer, "CONFLICT")) equal(answer, [1, 2, 3], "the same again");
      }
      equal((await stream.port.read("s", { after: gone, limit: 1 })).last, last + 3, "how long the stream is");
      equal(await stream.write("s", "early", 4, 4), [last + 4], "what is new of the same writer");
    },
  ),

  streamCase(
    "lost-append",
    ["ES-2"],
    "an append or finish whose answer was lost can be repeated",
    async (t, stream) => {
      const adapter = await t.open();
      const lossy = adapter.eventStream && new Stream(adapter.eventStream, t);
      const persist = async (what: string, step: () => Promise<unknown>) => {
        await t.faults.loseAnswers(adapter, 1);
        await t.until(`${what} is answered`, async () => {
          try {
            await step();
            return true;
          } catch (error) {
            if (isIntermodalError(error, "UNAVAILABLE")) return false;
            throw error;
          }
        });
      };
      for (let round = 0; round < 5; round++) {
        await persist("append", async () =>
          equal(
            await lossy?.write("s", "w", round * 2 + 1, round * 2 + 2),
            [round * 2 + 1, round * 2 + 2],
            "sequences",
          ),
        );
      }
      await persist("finish", async () => lossy?.finish("s", { writer: "w", n: 11 }));
      const events = await stream.all("s");
      equal(
        events.map(({ event }) => event),
        [...Array(10).fill("token"), "lifecycle.completed"],
        "the stream",
      );
      equal(
        dataOf(events.slice(0, 10)),
        Array.from({ length: 10 }, (_, at) => `w:${at + 1}`),
        "its data",
      );
    },
    ["loseAnswers"],
  ),
];
