import { VirtualClock } from "@intermodal/core/testing";
import { expect, it } from "vitest";
import type { Session } from "./session.ts";
import { type Chunk, chunkId, streamKey } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import type { StreamReader, StreamSight } from "./stream-reader.ts";
import { StreamWatch } from "./stream-watch.ts";

const SIGHT: StreamSight = {
  events: [{ streamId: "s", sequence: 1, timestamp: 0, source: "t", event: "e", data: 1 }],
  last: 1,
  ended: false,
  incarnation: "i",
  bytes: 0,
  next: 2,
  expiresAt: 1_000,
};

it("what has come, and the cap has taken before it was read, is read as what is gone", async () => {
  let page = SIGHT;
  const reader: Partial<StreamReader> = { read: async () => page, pageOf: async () => undefined };
  const session = {
    clock: new VirtualClock(),
    settings: { streamPollMs: 1_000, streamWakeMs: 50 },
    onClose: () => () => {},
  };
  const watch = new StreamWatch(session as unknown as Session, {} as StreamLog, reader as StreamReader);
  const stop = watch.watch("s", () => {});
  await watch.read("s", 0);
  watch.stored("s", { _id: chunkId(streamKey("s"), 2), base: 0, from: 2, to: 2 } as Chunk);
  page = { ...SIGHT, events: [], gap: { from: 2, to: 2 }, last: 2, next: 3 };
  expect(await watch.read("s", 1)).toBe(page);
  stop();
});
