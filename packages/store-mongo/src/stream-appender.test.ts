import { IntermodalError, type NewRunEvent } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import { BSON } from "mongodb";
import { expect, it } from "vitest";
import type { Session } from "./session.ts";
import { StreamAppender } from "./stream-appender.ts";
import { type Chunk, type ChunkDraft, DATA_LAG, type DataDocument } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";

const event = (n: number): NewRunEvent => ({ writer: "w", n, timestamp: 0, source: "t", event: "e", data: n });

/** An appender over chunks in memory; each method of the log can be replaced. */
function open(replaced: Partial<StreamLog> = {}) {
  const clock = new VirtualClock();
  const chunks: Chunk[] = [];
  const held: (readonly string[])[] = [];
  const log: Partial<StreamLog> = {
    last: async () => chunks.at(-1),
    headsFrom: async (_what: string, _key: string, place: number) => chunks.filter(({ from }) => from >= place),
    insert: async (_what: string, added: readonly Chunk[]) => {
      chunks.push(...added);
      return added.map(() => true);
    },
    highestOf: async () => 0,
    awaitHeld: async (_what: string, ids: readonly string[]) => {
      held.push(ids);
    },
    ...replaced,
  };
  const session = { clock, settings: { streamSafetyTtlMs: 60_000 }, serverNow: async () => clock.now() };
  const make = () => new StreamAppender(session as unknown as Session, log as StreamLog, async () => {});
  return { clock, chunks, held, log, session, make, appender: make() };
}

const put = (appender: StreamAppender, n: number, ttlMs?: number) =>
  appender.put([{ streamId: "s", events: [event(n)], ttlMs }]);

const outage = (unknown: boolean) => new IntermodalError("UNAVAILABLE", "away", { unknown });

it.each(["UNAVAILABLE", "CLOSED"] as const)(
  "what is stored before the store fails with %s may be there",
  async (code) => {
    const { clock, log, chunks, appender } = open();
    const { insert } = log;
    log.insert = async (...call) => {
      // So slow that it is looked at again.
      await clock.advance(5_000);
      return (insert as StreamLog["insert"])(...call);
    };
    log.headsFrom = () => Promise.reject(new IntermodalError(code, "away"));
    await expect(put(appender, 1)).rejects.toMatchObject({ code, unknown: true, message: "away" });
    expect(chunks).toHaveLength(1);
  },
);

it("what fails before anything was sent is not there", async () => {
  const { appender } = open({ last: () => Promise.reject(outage(false)) });
  await expect(put(appender, 1)).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
});

it("when no stream can be looked at, what waits is told at once", async () => {
  let asked = 0;
  const { appender, clock } = open({
    last: async () => {
      asked++;
      await new Promise<void>((done) => clock.schedule(10_000, done));
      throw outage(false);
    },
  });
  const items = Array.from({ length: 5_000 }, (_, at) => ({ streamId: `s${at}`, events: [event(1)] }));
  const answer = appender.put(items).catch((error: unknown) => error);
  await clock.advance(10_000);
  expect(await answer).toMatchObject({ code: "UNAVAILABLE" });
  // Two passes were under way.
  expect(asked).toBe(1_000);
});

it("that a stream has ended is told once a majority holds its end", async () => {
  const { appender, make, chunks, held, log } = open();
  await put(appender, 1, 1_000);
  expect(held, "what it has stored itself").toEqual([]);
  const other = make();
  log.highestOf = async () => 1;
  log.holding = async () => chunks;
  await expect(put(other, 2)).rejects.toMatchObject({ code: "STREAM_ENDED" });
  expect(held).toEqual([[chunks[0]?._id]]);
  log.awaitHeld = () => Promise.reject(outage(true));
  await expect(put(make(), 2), "refused").rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(put(make(), 2, 1_000), "ended again").rejects.toMatchObject({ code: "UNAVAILABLE" });
});

it("a chunk has the time of the moment at which it is sent, however long was looked for what it follows", async () => {
  const { appender, clock, chunks, log } = open();
  const begun = clock.now();
  log.last = async () => {
    await clock.advance(5_000);
    return undefined;
  };
  log.headsFrom = async () => [];
  await put(appender, 1);
  const [chunk] = chunks;
  expect(chunk?.appended_at.getTime()).toBe(begun + 5_000);
  expect(chunk?.expires_at.getTime()).toBe(begun + 65_000);
});

it("a stream's last writer goes on without being looked for", async () => {
  let asked = 0;
  const { appender, make, log } = open();
  await put(appender, 1);
  log.highestOf = async () => asked++;
  expect(await put(make(), 2)).toEqual([[2]]);
  expect(asked).toBe(0);
});

it("an event of a writer that is no text is refused with its put alone", async () => {
  const { appender, chunks } = open();
  const odd = { ...event(1), writer: 7 as unknown as string };
  const items = [[event(1)], [event(2), odd], [event(2)]].map((events) => ({ streamId: "s", events }));
  await expect(appender.put(items)).rejects.toMatchObject({
    failures: [undefined, { code: "NOT_SERIALIZABLE" }, undefined],
    results: [[1], undefined, [2]],
  });
  expect(chunks.flatMap(({ events }) => events.map(({ sequence }) => sequence))).toEqual([1, 2]);
});

it("a chunk that is refused concerns its stream alone", async () => {
  const { appender, log, chunks } = open();
  const tooLarge = new IntermodalError("PAYLOAD_TOO_LARGE", "too large");
  log.insert = async (_what, added) => {
    chunks.push(...added.filter(({ stream }) => stream !== "big"));
    return added.map(({ stream }) => (stream === "big" ? tooLarge : true));
  };
  const items = ["a", "big", "b"].map((streamId) => ({ streamId, events: [event(1)] }));
  await expect(appender.put(items)).rejects.toMatchObject({ failures: [undefined, tooLarge, undefined] });
  expect(chunks.map(({ stream }) => stream)).toEqual(["a", "b"]);
});

const KIB = 1_024;
const sized = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, at) => ({ ...event(at + 1), data: "x".repeat(bytes) }));

/** An appender of which is known what data it stored elsewhere, and for which others come first in some rounds. */
function openBehind(rounds: number, chunkSize = 1) {
  const stored: (readonly DataDocument[])[] = [];
  const opened = open();
  const { log, chunks } = opened;
  const insert = log.insert as StreamLog["insert"];
  let round = 0;
  log.putData = async (_what, documents) => {
    stored.push(documents);
  };
  log.insert = async (what, added) => {
    if (++round > rounds) return insert(what, added);
    const [chunk] = added as [Chunk];
    const writers = [{ writer: "other", n: round, last_n: round, sequence: chunk.from, highest: round }];
    const to = chunk.from + chunkSize - 1;
    await insert(what, [{ ...chunk, incarnation: chunks[0]?.incarnation ?? "i", to, events: [], writers }]);
    return [false];
  };
  return { ...opened, stored };
}

const namesIn = (chunk: ChunkDraft | undefined) =>
  (chunk?.events ?? []).map(({ data_in }) => data_in).filter((id) => id !== undefined);

it("1,000 events of 4 KiB are one chunk, which holds their data itself", async () => {
  const { appender, chunks, stored } = openBehind(0);
  await appender.put([{ streamId: "s", events: sized(1_000, 4 * KIB) }]);
  expect([chunks.length, chunks[0]?.events.length, stored.length, namesIn(chunks[0])]).toEqual([1, 1_000, 0, []]);
});

it("data that a chunk has no room for go up once, however often others come first", async () => {
  const { appender, chunks, stored } = openBehind(3);
  const answer = await appender.put([{ streamId: "s", events: sized(12, 1_000 * KIB) }]);
  expect(answer[0]?.[0]).toBe(4);
  expect(stored.map((documents) => documents.map(({ _id }) => _id))).toEqual([namesIn(chunks.at(-1))]);
  expect(BSON.calculateObjectSize(chunks.at(-1) as Chunk)).toBeLessThan(150 * KIB);
});

it("a chunk that others came before is lighter the next time, as far as that can be", async () => {
  const long = openBehind(1);
  await long.appender.put([{ streamId: "s", events: sized(1_000, 4 * KIB) }]);
  expect(long.stored.map((documents) => documents.map(({ _id }) => _id))).toEqual([namesIn(long.chunks.at(-1))]);
  expect(BSON.calculateObjectSize(long.chunks.at(-1) as Chunk)).toBeLessThan(400 * KIB);
  const many = openBehind(1);
  await many.appender.put([{ streamId: "s", events: sized(1_000, 200) }]);
  expect([many.chunks.length, many.stored]).toEqual([2, []]);
});

it("unless these have come so far that the cap might take the data before the chunk", async () => {
  const { appender, chunks, stored } = openBehind(2, DATA_LAG);
  await appender.put([{ streamId: "s", events: sized(12, 1_000 * KIB) }]);
  const [first, second, ...others] = stored.map((documents) => documents.map(({ _id }) => _id));
  expect([second, others]).toEqual([namesIn(chunks.at(-1)), []]);
  expect(first).not.toEqual(second);
});
