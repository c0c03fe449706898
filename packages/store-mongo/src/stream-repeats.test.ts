import { describe, expect, it } from "vitest";
import { type ChunkHead, chunkId, streamKey } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import { isStray } from "./stream-repeats.ts";

const KEY = streamKey("s");

function head(from: number, to: number): ChunkHead {
  return {
    _id: chunkId(KEY, 10 + from),
    stream: "s",
    incarnation: "i",
    base: 10,
    from,
    to,
    ended: from > to,
    appended_at: new Date(0),
    expires_at: new Date(1_000),
    bytes: 0,
    writers: [],
  };
}

/** @param others What else stands in the stream. */
async function look(chunk: ChunkHead, others: readonly ChunkHead[]): Promise<boolean> {
  const removed: string[] = [];
  const log: Partial<StreamLog> = {
    headsFrom: async (_what: string, key: string, place: number) =>
      [chunk, ...others].filter(({ _id }) => _id >= chunkId(key, place)).sort((a, b) => (a._id < b._id ? -1 : 1)),
    remove: async (_what: string, id: string) => {
      removed.push(id);
    },
  };
  const found = await isStray("append", log as StreamLog, KEY, chunk);
  expect(removed).toEqual(found ? [chunk._id] : []);
  return found;
}

describe("a chunk that was stored late", () => {
  it("stands where it seems to if nothing comes after it, or what does comes right after", async () => {
    expect(await look(head(5, 7), [])).toBe(false);
    expect(await look(head(5, 7), [head(1, 4), head(8, 9), head(10, 10)])).toBe(false);
    expect(await look(head(5, 4), [head(1, 4)]), "an end without an event").toBe(false);
  });

  it("is removed if something is gone between it and what comes after it", async () => {
    expect(await look(head(5, 7), [head(9, 9)])).toBe(true);
  });

  it("is removed if something begins amid it, even if something comes right after it", async () => {
    expect(await look(head(5, 7), [head(7, 7), head(8, 8)])).toBe(true);
    expect(await look(head(5, 7), [head(6, 9)])).toBe(true);
  });
});
