import { equal } from "../assert.ts";
import { dataOf, openStreams, sequences, streamCase } from "./stream.ts";

export const readCases = [
  streamCase(
    "resume",
    ["ES-4", "ES-6"],
    "reading and following after any sequence give the exact rest",
    async (t, stream) => {
      const [other] = await openStreams(t, 1);
      const count = t.size(200, 40);
      for (let n = 1; n < count; n += 4) await stream.write("s", "w", n, Math.min(count - 1, n + 3));
      await stream.finish("s", { data: `w:${count}` });
      for (let after = 0; after <= count; after++) {
        const page = await stream.port.read("s", { after });
        equal(
          page.events.map(({ sequence }) => sequence),
          sequences(after + 1, count),
          `sequences after ${after}`,
        );
        equal(
          dataOf(page.events),
          sequences(after + 1, count).map((n) => `w:${n}`),
          `data after ${after}`,
        );
        equal([page.gap, page.last, page.ended], [undefined, count, true], `the page after ${after}`);
        const follower = other?.follow("s", after);
        await follower?.ended;
        equal([follower?.events, follower?.gaps], [page.events, []], `followed after ${after}`);
      }
    },
  ),

  streamCase("read-pages", ["ES-4"], "pages hold as many as was asked for, 1,000 by default", async (_t, stream) => {
    for (let n = 1; n <= 1_100; n += 275) await stream.write("s", "w", n, n + 274);
    const first = await stream.port.read("s");
    equal([first.events.length, first.events.at(-1)?.sequence, first.last], [1_000, 1_000, 1_100], "the first page");
    equal((await stream.port.read("s", { after: 1_000 })).events.length, 100, "the second page");
    for (const limit of [1, 7, 1_100]) {
      const { events } = await stream.port.read("s", { after: 3, limit });
      equal(
        events.map(({ sequence }) => sequence),
        sequences(4, Math.min(1_100, 3 + limit)),
        `a page of ${limit}`,
      );
    }
  }),

  streamCase("read-whole", ["ES-4"], "an entry is read as it was written", async (_t, stream) => {
    const event = stream.event("w", 1, {
      source: "chapter-7",
      event: "log.info",
      data: { text: "hello", n: [1] },
      timestamp: 1_700_000_000_123,
    });
    await stream.append("s", [event]);
    const expected = {
      streamId: "s",
      sequence: 1,
      timestamp: 1_700_000_000_123,
      source: "chapter-7",
      event: "log.info",
      data: event.data,
    };
    equal(await stream.all("s"), [expected], "the entry");
    const follower = stream.follow("s");
    await stream.finish("s");
    await follower.ended;
    equal(follower.events[0], expected, "the entry as it is followed");
  }),

  streamCase(
    "prefix",
    ["ES-4", "ES-1"],
    "a concurrent reader always sees a prefix of the stream",
    async (t, stream) => {
      const streams = [stream, ...(await openStreams(t, 3))];
      const [reader] = await openStreams(t, 1);
      const seen: (readonly string[])[] = [];
      let writing = true;
      const reading = (async () => {
        do {
          const page = await reader?.port.read("s", { limit: 10_000 });
          const events = page?.events ?? [];
          equal(
            events.map(({ sequence }) => sequence),
            sequences(1, page?.last ?? 0),
            "what one read sees has no hole",
          );
          seen.push(events.map(({ data }) => String(data)));
        } while (writing);
      })();
      await Promise.all(
        streams.map(async (one, client) => {
          for (let n = 1; n <= t.size(100, 20); n += 2) await one.write("s", `w${client}`, n, n + 1);
        }),
      ).finally(() => {
        writing = false;
      });
      await reading;
      const all = dataOf(await stream.all("s"));
      for (const prefix of seen)
        equal(prefix, all.slice(0, prefix.length), "what one read saw is how the stream begins");
      for (const [at, prefix] of seen.entries())
        if (at > 0) equal(prefix.length >= (seen[at - 1]?.length ?? 0), true, "later reads see no less");
    },
  ),
];
