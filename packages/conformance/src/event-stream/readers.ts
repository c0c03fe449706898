import { equal } from "../assert.ts";
import { dataOf, openStream, sequences, streamCase } from "./stream.ts";

export const readersCases = [
  streamCase("many-readers", ["ES-15"], "100 readers of one stream and 100 streams at once", async (t, stream) => {
    const reader = await openStream(t);
    const count = 100;
    const one = Array.from({ length: count }, () => reader.follow("one"));
    const each = Array.from({ length: count }, (_, at) => reader.follow(`s${at}`));
    const ids = ["one", ...each.map((_, at) => `s${at}`)];
    for (let n = 1; n <= 5; n++)
      await stream.port.append(ids.map((streamId) => ({ streamId, events: [stream.event(streamId, n)] })));
    await stream.port.finish(ids.map((streamId) => ({ streamId, event: stream.event(streamId, 6), ttlMs: 60_000 })));
    await Promise.all([...one, ...each].map(({ ended }) => ended));
    for (const follower of one)
      equal(
        dataOf(follower.events),
        sequences(1, 6).map((n) => `one:${n}`),
        "a reader of the one stream",
      );
    for (const [at, follower] of each.entries())
      equal(
        dataOf(follower.events),
        sequences(1, 6).map((n) => `s${at}:${n}`),
        `the reader of s${at}`,
      );
  }),
];
