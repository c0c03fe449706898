import { equal } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import { dataOf, openStream, openStreams, type Stream, sequences, streamCase } from "./stream.ts";

/** Lets others run for a moment that differs from turn to turn. */
async function moment(t: CaseContext, turn: number): Promise<void> {
  if (turn % 5 === 4) return t.sleep(1);
  for (let at = 0; at < turn % 5; at++) await undefined;
}

async function writeSlowly(
  t: CaseContext,
  stream: Stream,
  id: string,
  from: number,
  to: number,
  turn: number,
): Promise<void> {
  for (let n = from; n <= to; n++) {
    await stream.write(id, "w", n, n);
    await moment(t, turn + n);
  }
}

export const followCases = [
  streamCase(
    "hand-over",
    ["ES-5"],
    "events appended while a follower goes from history to live are neither missed nor doubled",
    async (t, stream) => {
      const reader = await openStream(t);
      for (let round = 0; round < t.size(200, 40); round++) {
        const id = `s${round}`;
        const history = round % 7;
        if (history > 0) await stream.write(id, "w", 1, history);
        const after = round % (history + 1);
        const writing = writeSlowly(t, stream, id, history + 1, history + 8, round);
        await moment(t, Math.floor(round / 3));
        const follower = reader.follow(id, after);
        await writing;
        await stream.finish(id, { data: `w:${history + 9}` });
        await follower.ended;
        equal(follower.sequences, sequences(after + 1, history + 9), `round ${round}: sequences after ${after}`);
        equal(
          dataOf(follower.events),
          sequences(after + 1, history + 9).map((n) => `w:${n}`),
          `round ${round}: data`,
        );
        equal(follower.gaps, [], `round ${round}: gaps`);
      }
    },
  ),

  streamCase(
    "live",
    ["ES-5", "ES-15"],
    "followers that wait get what comes, while it comes, whoever writes",
    async (t, stream) => {
      const [writer, reader] = await openStreams(t, 2);
      const follower = reader?.follow("s");
      const second = stream.follow("s");
      await t.sleep(20);
      equal(follower?.events, [], "nothing was appended yet");
      for (let n = 1; n <= 5; n++) {
        await (n % 2 === 0 ? stream : writer)?.write("s", `w${n}`, 1, 1);
        await t.until(
          `event ${n} reaches both followers`,
          () => follower?.events.length === n && second.events.length === n,
        );
      }
      equal([follower?.isOver, second.isOver], [false, false], "they wait for more");
      await follower?.stop();
      await stream.write("s", "late", 1, 1);
      await t.until("the other one goes on", () => second.events.length === 6);
      equal(follower?.events.length, 5, "a follower whose signal aborted ends, quietly");
      await second.stop();
    },
  ),

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

  streamCase(
    "follow-left",
    ["ES-5"],
    "a follower may be left at any time, and aborted before it begins",
    async (t, stream) => {
      await stream.write("s", "w", 1, 5);
      const seen: number[] = [];
      for await (const entry of stream.port.follow("s", { after: 1 }) ?? []) {
        if ("sequence" in entry) seen.push(entry.sequence);
        if (seen.length === 2) break;
      }
      equal(seen, [2, 3], "what it was given until it was left");
      for await (const entry of stream.port.follow("s", { signal: AbortSignal.abort() }) ?? []) {
        if ("sequence" in entry) seen.push(entry.sequence);
      }
      equal(seen, [2, 3], "an aborted one is given nothing");
      const follower = stream.follow("s");
      await t.until("the stream is still there for others", () => follower.events.length === 5);
      await follower.stop();
    },
  ),

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
