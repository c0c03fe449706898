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
    "follow-left",
    ["ES-5"],
    "a follower may be left at any time, and aborted before it begins",
    async (t, stream) => {
      await stream.write("s", "w", 1, 5);
      const seen: number[] = [];
      for await (const entry of stream.port.follow("s", { after: 1 })) {
        if ("sequence" in entry) seen.push(entry.sequence);
        if (seen.length === 2) break;
      }
      equal(seen, [2, 3], "what it was given until it was left");
      for await (const entry of stream.port.follow("s", { signal: AbortSignal.abort() })) {
        if ("sequence" in entry) seen.push(entry.sequence);
      }
      equal(seen, [2, 3], "an aborted one is given nothing");
      const follower = stream.follow("s");
      await t.until("the stream is still there for others", () => follower.events.length === 5);
      await follower.stop();
    },
  ),
];
