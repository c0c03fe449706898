import { equal } from "../assert.ts";
import { openStreams, sequences, streamCase } from "./stream.ts";

export const gaplessCases = [
  streamCase(
    "gapless",
    ["ES-1"],
    "concurrent writers of many clients leave no gap, and each one's order stands",
    async (t, stream) => {
      const streams = [stream, ...(await openStreams(t, t.size(49, 4)))];
      const appends = t.size(35, 15);
      const given = new Map<string, number>();
      await Promise.all(
        streams.flatMap((one, client) =>
          [0, 1].map(async (writer) => {
            const name = `w${client}-${writer}`;
            for (let at = 0, n = 1; at < appends; at++) {
              const count = 1 + ((at + client) % 4);
              const answer = await one.write("s", name, n, n + count - 1);
              equal(
                answer,
                sequences(answer[0] ?? 0, (answer[0] ?? 0) + count - 1),
                "one append's events stand together",
              );
              for (const [index, sequence] of answer.entries()) given.set(`${name}:${n + index}`, sequence);
              n += count;
            }
          }),
        ),
      );
      const events = await stream.all("s");
      equal(
        events.map(({ sequence }) => sequence),
        sequences(1, given.size),
        "the stream's sequences",
      );
      for (const { sequence, data } of events)
        equal(given.get(String(data)), sequence, `the sequence that ${data} was given`);
      for (const writer of new Set(events.map(({ data }) => String(data).split(":")[0]))) {
        const ns = events
          .map(({ data }) => String(data).split(":"))
          .filter(([name]) => name === writer)
          .map(([, n]) => Number(n));
        equal(ns, sequences(1, ns.length), `the order of ${writer}'s events`);
      }
    },
  ),

  streamCase(
    "batches",
    ["ES-1", "ES-12"],
    "a batch over several streams answers in its order; each stream counts for itself",
    async (_t, stream) => {
      const answers = await stream.port.append([
        { streamId: "a", events: stream.events("w", 1, 2) },
        { streamId: "b", events: stream.events("w", 1, 3) },
        { streamId: "a", events: stream.events("w", 3, 3) },
        { streamId: "c", events: [] },
      ]);
      equal(answers, [[1, 2], [1, 2, 3], [3], []], "the answers");
      const { events, last, ended } = await stream.port.read("a");
      equal([events.length, last, ended], [3, 3, false], "what is read of one of them");
      const untouched = await stream.port.read("c");
      equal([untouched.events, untouched.last, untouched.ended], [[], 0, false], "what is read of one without events");
    },
  ),
];
