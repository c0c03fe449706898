import { expect, it } from "vitest";
import type { Session } from "./session.ts";
import { type Chunk, type ChunkEvent, chunkId, endOf, streamKey } from "./stream-chunk.ts";
import type { Level, StreamLog } from "./stream-log.ts";
import { StreamReader } from "./stream-reader.ts";

const KEY = streamKey("s");
const LIMITS = { limit: 100, whole: false, maxBytes: 1_000_000 };

/** @param data Of each event: its own, or what holds it. */
function chunkOf(from: number, data: readonly Pick<ChunkEvent, "data" | "data_in" | "data_bytes">[]): Chunk {
  const events = data.map((of, at) => ({ sequence: from + at, timestamp: 0, source: "t", event: "e", ...of }));
  return {
    _id: chunkId(KEY, from),
    stream: "s",
    incarnation: "i",
    base: 0,
    from,
    to: from + data.length - 1,
    ended: false,
    appended_at: new Date(0),
    expires_at: new Date(1_000),
    bytes: 1_000,
    writers: [],
    events,
  };
}

const plain = (from: number) => chunkOf(from, [{ data: from }]);

/** A stream of these chunks; some data stand elsewhere. */
function open(chunks: Chunk[], elsewhere: Record<string, string> = {}) {
  const state = { chunks, elsewhere, local: chunks, asked: [] as (readonly string[])[], onData: () => {} };
  const log: Partial<StreamLog> = {
    last: async (_what: string, _key: string, level: Level) => (level === "local" ? state.local : state.chunks).at(-1),
    chunksFrom: async (_what: string, _key: string, place: number, limit: number, maxBytes: number) => {
      let bytes = 0;
      const found = state.chunks.filter(({ from }) => from >= place).slice(0, limit);
      return found.filter((chunk) => {
        const isWanted = bytes < maxBytes;
        bytes += chunk.bytes;
        return isWanted;
      });
    },
    chunkBefore: async (_what: string, _key: string, place: number) =>
      state.chunks.findLast(({ from }) => from < place),
    data: async (_what: string, ids: readonly string[]) => {
      state.asked.push(ids);
      state.onData();
      return new Map(ids.flatMap((id) => (state.elsewhere[id] === undefined ? [] : [[id, state.elsewhere[id]]])));
    },
  };
  const session = { serverNow: async () => 0 };
  return { state, reader: new StreamReader(session as unknown as Session, log as StreamLog) };
}

it("an event whose data the cap has taken meanwhile is not given without them: it is gone", async () => {
  const long = chunkOf(1, [{ data_in: "d" }, { data: 2 }]);
  const { state, reader } = open([long, plain(3)], { d: '"long"' });
  expect(await reader.read("read", "s", 0, LIMITS)).toMatchObject({
    events: [{ data: "long" }, { data: 2 }, { data: 3 }],
  });
  state.onData = () => {
    state.chunks = [plain(3)];
    state.elsewhere = {};
  };
  expect(await reader.read("read", "s", 0, LIMITS)).toMatchObject({ gap: { from: 1, to: 2 }, events: [{ data: 3 }] });
  expect(await reader.pageOf("follow", "s", [long]), "of what has come").toBeUndefined();
});

it("a page ends once it holds enough bytes, with one event at the least", async () => {
  const { reader } = open([1, 2, 3, 4].map(plain));
  const sequences = async (after: number, maxBytes: number) => {
    const page = await reader.read("read", "s", after, { ...LIMITS, maxBytes });
    expect([page.last, page.ended, page.gap]).toEqual([4, false, undefined]);
    return page.events.map(({ sequence }) => sequence);
  };
  expect(await sequences(0, 2_000)).toEqual([1, 2]);
  expect(await sequences(2, 1)).toEqual([3]);
});

it("of data that stand elsewhere it reads what it gives only, and not without limit", async () => {
  const ids = Array.from({ length: 20 }, (_, at) => `d${at + 1}`);
  const long = chunkOf(1, [...ids.map((data_in) => ({ data_in })), { data: 21 }]);
  const { state, reader } = open([long], Object.fromEntries(ids.map((id) => [id, `"${id}"`])));
  await reader.read("read", "s", 1, { ...LIMITS, limit: 2 });
  expect(state.asked).toEqual([["d2", "d3"]]);
  const pages: number[][] = [];
  for (let after = 0; after < 21; ) {
    const page = await reader.read("follow", "s", after, { ...LIMITS, whole: true });
    expect([page.last, page.next]).toEqual([21, endOf(long) + 1]);
    pages.push(page.events.map(({ sequence }) => sequence));
    after = page.events.at(-1)?.sequence ?? Number.NaN;
  }
  expect(pages.map(({ length }) => length)).toEqual([8, 8, 5]);
  expect((await reader.pageOf("follow", "s", [long]))?.events).toHaveLength(8);
});

it("a page holds as much of them as there is room for", async () => {
  const sizes = [100, 4_000_000, 4_300_000, 100_000, 9_000_000];
  const long = chunkOf(
    1,
    sizes.map((data_bytes, at) => ({ data_in: `d${at}`, data_bytes })),
  );
  const { state, reader } = open([long], Object.fromEntries(sizes.map((_, at) => [`d${at}`, "1"])));
  for (const after of [0, 2, 4]) await reader.read("read", "s", after, LIMITS);
  expect(state.asked).toEqual([["d0", "d1", "d2"], ["d2", "d3"], ["d4"]]);
});

it("what is not known yet to be held by a majority again is no position that the stream never had", async () => {
  const { state, reader } = open([plain(1)]);
  state.local = [plain(1), plain(2)];
  await expect(reader.read("follow", "s", 2, LIMITS)).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
  await expect(reader.read("follow", "s", 3, LIMITS)).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  await expect(reader.read("follow", "s", 1.5, LIMITS)).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  state.chunks = [];
  await expect(reader.read("follow", "s", 1, LIMITS)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  state.local = [{ ...plain(1), expires_at: new Date(0) }];
  await expect(reader.read("follow", "s", 1, LIMITS), "it has expired").rejects.toMatchObject({
    code: "CURSOR_INVALID",
  });
});
