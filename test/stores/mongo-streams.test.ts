import type { EventStream, StoredRunEvent } from "@intermodal/core/ports";
import type { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf, eventsOf, follow, sequencesOf, upTo } from "./entries.ts";
import { MongoStage } from "./mongo-stage.ts";

const MIB = 1_048_576;
const missing = await whyMissing("mongo");
let server: Server;
let stage: MongoStage;
let admin: MongoClient;
beforeAll(async () => {
  if (missing === undefined) server = await startServer("mongo");
}, 60_000);
afterAll(() => server?.close());
beforeEach((t) => {
  stage = new MongoStage();
  skipWithout(missing, t);
  admin = stage.admin(server.url);
});
afterEach(() => stage.clear());

const finish = (stream: EventStream, streamId: string, n: number, ttlMs = 60_000) =>
  stream.finish([{ streamId, event: { ...eventOf(n), event: "lifecycle.completed" }, ttlMs }]);

test("an append of more than a document holds stands together, and goes with its stream", async () => {
  const { eventStream } = stage.adapter(server.url, { commandTimeoutMs: 30_000 });
  const [other] = [stage.adapter(server.url).eventStream];
  const data = Array.from({ length: 20 }, (_, at) => String(at % 10).repeat(MIB - 100));
  const events = data.map((text, at) => eventOf(at + 1, text));
  const follower = follow(other, "s");
  const writing = eventStream.append([{ streamId: "s", events }]);
  const meanwhile = (async () => {
    for (let n = 1; n <= 5; n++) await other.append([{ streamId: "s", events: [eventOf(n, n, "other")] }]);
  })();
  const [sequences = []] = await writing;
  await meanwhile;
  expect(sequences).toEqual(sequences.map((_, at) => (sequences[0] as number) + at));
  expect(await eventStream.append([{ streamId: "s", events }]), "repeated").toEqual([sequences]);
  await finish(eventStream, "s", 21);
  await follower.ended;
  expect(sequencesOf(follower.entries)).toEqual(upTo(26));
  const read = follower.entries.filter((entry) => "data" in entry && typeof entry.data === "string");
  expect(read.slice(0, 20).every((entry, at) => "data" in entry && entry.data === data[at])).toBe(true);
}, 120_000);

test("a batch of 1,000 events of 4 KiB is one document", async () => {
  const { eventStream } = stage.adapter(server.url);
  const events = upTo(1_000).map((n) => eventOf(n, String(n % 10).repeat(4_096)));
  expect(await eventStream.append([{ streamId: "s", events }])).toEqual([upTo(1_000)]);
  expect(await stage.collection(admin, "run_events").countDocuments()).toBe(1);
});

test("what does not fit into a document is refused to the stream whose it is", async () => {
  const { eventStream } = stage.adapter(server.url);
  const big = { ...eventOf(1), source: "x".repeat(17 * MIB) };
  const appends = ["a", "big", "b"].map((streamId) => ({ streamId, events: [streamId === "big" ? big : eventOf(1)] }));
  await expect(eventStream.append(appends)).rejects.toMatchObject({
    failures: [undefined, { code: "PAYLOAD_TOO_LARGE", unknown: false }, undefined],
    results: [[1], undefined, [1]],
  });
  expect((await eventStream.read("big")).last).toBe(0);
});

test("a page holds a bounded amount, and whoever reads on from where it ended gets all", async () => {
  const { eventStream } = stage.adapter(server.url, { commandTimeoutMs: 30_000 });
  const append = (from: number, to: number) => {
    const events = upTo(to - from + 1).map((_, at) => eventOf(from + at, String(at % 10).repeat(MIB - 100)));
    return eventStream.append([{ streamId: "s", events }]);
  };
  for (let n = 1; n <= 10; n += 2) await append(n, n + 1);
  await append(11, 30);
  await finish(eventStream, "s", 31);
  const read: StoredRunEvent[] = [];
  for (;;) {
    const { events, last, ended } = await eventStream.read("s", { after: read.length });
    expect([last, ended]).toEqual([31, true]);
    if (events.length === 0) break;
    expect(events.length).toBeLessThan(20);
    read.push(...events);
  }
  expect(sequencesOf(read)).toEqual(upTo(31));
  expect((await eventStream.read("s", { after: 12, limit: 2 })).events.map(({ sequence }) => sequence)).toEqual([
    13, 14,
  ]);
}, 120_000);

test("what an expired stream has left is removed some time later, and streams that live are left alone", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  stage.atEnd(() => vi.restoreAllMocks());
  const { eventStream } = stage.adapter(server.url);
  const chunks = stage.collection(admin, "run_events");
  await eventStream.append([{ streamId: "over", events: eventsOf(1, 2) }]);
  await finish(eventStream, "over", 3, 1);
  await eventStream.append([{ streamId: "alive", events: eventsOf(1, 2) }]);
  await eventStream.append([{ streamId: "alive", events: eventsOf(3, 4) }]);
  // As it is an hour later: the stream that lives has a chunk whose own time is over.
  const hourAgo = new Date(Date.now() - 3_600_000);
  await chunks.updateMany({ stream: "over" }, { $set: { expires_at: hourAgo } });
  await chunks.updateOne({ stream: "alive", from: 1 }, { $set: { expires_at: hourAgo } });
  vi.spyOn(Math, "random").mockReturnValue(0);
  const again = stage.adapter(server.url, {}).eventStream;
  await again.append([{ streamId: "third", events: [eventOf(1)] }]);
  await vi.waitFor(async () => expect(await chunks.countDocuments({ stream: "over" })).toBe(0), { timeout: 10_000 });
  await vi.waitFor(async () => expect(await chunks.countDocuments({ expires_at: hourAgo })).toBe(0));
  expect((await again.read("alive")).last).toBe(4);
  expect(await again.append([{ streamId: "over", events: [eventOf(1)] }])).toEqual([[1]]);
});

describe("a stream of an id that has expired", () => {
  test("begins at 1, also for who knew the other one, and ends who followed that", async () => {
    const { eventStream } = stage.adapter(server.url);
    const reader = stage.adapter(server.url, { streamPollMs: 200 }).eventStream;
    await eventStream.append([{ streamId: "s", events: eventsOf(1, 3) }]);
    const follower = follow(reader, "s");
    await vi.waitFor(() => expect(follower.entries).toHaveLength(3));
    await stage.collection(admin, "run_events").updateMany({}, { $set: { expires_at: new Date(0) } });
    await expect(follower.ended).rejects.toMatchObject({ code: "CURSOR_INVALID" });
    const fresh = follow(reader, "s");
    const others = [1, 2, 3, 4].map(() => stage.adapter(server.url, {}).eventStream);
    const answers = await Promise.all(
      others.map((other, at) => other.append([{ streamId: "s", events: eventsOf(1, 2, `w${at}`) }])),
    );
    expect(answers.flat(2).sort((one, other) => one - other)).toEqual(upTo(8));
    await finish(eventStream, "s", 4);
    await fresh.ended;
    expect(sequencesOf(fresh.entries)).toEqual(upTo(9));
  });
});

describe("the cap", () => {
  const options = { maxStreamEvents: 100 };

  test("takes the oldest, once they are some time old; a repeated append of those is told so", async () => {
    const { eventStream } = stage.adapter(server.url, options);
    let last = 0;
    const write = async () => {
      await eventStream.append([{ streamId: "s", events: eventsOf(last + 1, last + 10) }]);
      last += 10;
      return eventStream.read("s", { limit: 1 });
    };
    while (last < 300) await write();
    const page = await vi.waitFor(
      async () => {
        const seen = await write();
        expect(seen.gap?.to).toBeGreaterThan(150);
        return seen;
      },
      { timeout: 10_000, interval: 100 },
    );
    const gone = page.gap?.to ?? 0;
    expect([page.gap?.from, page.last, page.events[0]?.sequence]).toEqual([1, last, gone + 1]);
    expect(last - gone).toBeGreaterThanOrEqual(100);
    await expect(eventStream.append([{ streamId: "s", events: [eventOf(5)] }])).rejects.toMatchObject({
      code: "CONFLICT",
    });
    for (const one of [eventStream, stage.adapter(server.url, {}).eventStream])
      expect(await one.append([{ streamId: "s", events: [eventOf(last - 5)] }])).toEqual([[last - 5]]);
  });

  test("takes nothing that may have just come, however long ago it was sent: what came after it tells", async () => {
    const { eventStream } = stage.adapter(server.url);
    for (let n = 1; n <= 201; n += 50) await eventStream.append([{ streamId: "s", events: eventsOf(n, n + 49) }]);
    const long = { appended_at: new Date(Date.now() - 60_000) };
    await stage.collection(admin, "run_events").updateMany({ from: { $lte: 51 } }, { $set: long });
    await stage.adapter(server.url, options).eventStream.append([{ streamId: "s", events: [eventOf(251)] }]);
    expect((await eventStream.read("s", { limit: 1 })).gap).toEqual({ from: 1, to: 50 });
  });

  test("a repeated append of a writer of whom it has taken all is told so, by whomever, until the stream is gone", async () => {
    const { eventStream } = stage.adapter(server.url, options);
    const chunks = stage.collection(admin, "run_events");
    const writers = ["first", "$set", "\0.{}", "json:\ud800"];
    for (const writer of writers) await eventStream.append([{ streamId: "s$", events: eventsOf(1, 3, writer) }]);
    let last = 0;
    await vi.waitFor(
      async () => {
        await eventStream.append([{ streamId: "s$", events: eventsOf(last + 1, last + 50) }]);
        last += 50;
        expect((await eventStream.read("s$", { limit: 1 })).gap?.to).toBeGreaterThan(12);
      },
      { timeout: 10_000, interval: 100 },
    );
    const others = [eventStream, stage.adapter(server.url, {}).eventStream];
    for (const other of others)
      for (const writer of writers) {
        const repeated = [eventOf(3, 3, writer)];
        await expect(other.append([{ streamId: "s$", events: repeated }])).rejects.toMatchObject({ code: "CONFLICT" });
      }
    const total = last + 12;
    expect((await eventStream.read("s$", { after: total })).last).toBe(total);
    for (const [at, other] of others.entries()) {
      const next = eventOf(4 + at, 4, "first");
      expect(await other.append([{ streamId: "s$", events: [next] }])).toEqual([[total + 1 + at]]);
    }
    await chunks.updateMany({}, { $set: { expires_at: new Date(Date.now() - 3_600_000) } });
    vi.spyOn(Math, "random").mockReturnValue(0);
    stage.atEnd(() => vi.restoreAllMocks());
    await stage.adapter(server.url, {}).eventStream.append([{ streamId: "t", events: [eventOf(1)] }]);
    await vi.waitFor(async () => expect(await chunks.countDocuments({ stream: "s$" })).toBe(0), { timeout: 10_000 });
  });

  test("what was kept of a stream that is gone goes too", async () => {
    const { eventStream } = stage.adapter(server.url, options);
    const chunks = stage.collection(admin, "run_events");
    await eventStream.append([{ streamId: "s", events: eventsOf(1, 2) }]);
    const [{ incarnation } = { incarnation: "" }] = await chunks.find().toArray();
    const expires_at = new Date(Date.now() - 3_600_000);
    const trace = (stream: string, of: string) => {
      return {
        _id: `1:${stream}:!${of}/w`,
        stream,
        incarnation: of,
        writers: [{ writer: "w" }],
        highest: 1,
        expires_at,
      };
    };
    // As if whoever was about to remove something had stopped in between, and for so long that one stream is gone.
    await chunks.insertMany([trace("u", "i"), trace("s", incarnation)]);
    vi.spyOn(Math, "random").mockReturnValue(0);
    stage.atEnd(() => vi.restoreAllMocks());
    await stage.adapter(server.url, {}).eventStream.append([{ streamId: "t", events: [eventOf(1)] }]);
    await vi.waitFor(async () => expect(await chunks.countDocuments({ expires_at })).toBe(0), { timeout: 10_000 });
    expect([await chunks.countDocuments({ stream: "u" }), await chunks.countDocuments({ stream: "s" })]).toEqual([
      0, 2,
    ]);
  });

  test("whoever comes back to a stream that it has overtaken appends at the end", async () => {
    const { eventStream } = stage.adapter(server.url, options);
    const sleeper = stage.adapter(server.url, { ...options }).eventStream;
    expect(await sleeper.append([{ streamId: "s", events: [eventOf(1, 1, "sleeper")] }])).toEqual([[1]]);
    let last = 1;
    await vi.waitFor(
      async () => {
        await eventStream.append([{ streamId: "s", events: eventsOf(last, last + 49) }]);
        last += 50;
        expect((await eventStream.read("s", { limit: 1 })).gap?.to).toBeGreaterThan(2);
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(await sleeper.append([{ streamId: "s", events: [eventOf(2, 2, "sleeper")] }])).toEqual([[last + 1]]);
    const { events } = await eventStream.read("s", { after: last - 1 });
    expect(events.map(({ sequence }) => sequence)).toEqual([last, last + 1]);
  });
});

test("followers keep up with others' appends, however many there are", async () => {
  const writer = stage.adapter(server.url).eventStream;
  const reader = stage.adapter(server.url, {}).eventStream;
  const followers = Array.from({ length: 20 }, (_, at) => follow(reader, `s${at % 2}`));
  for (let n = 1; n <= 60; n++)
    await writer.append(["s0", "s1"].map((streamId) => ({ streamId, events: [eventOf(n)] })));
  await Promise.all(["s0", "s1"].map((streamId) => finish(writer, streamId, 61)));
  await Promise.all(followers.map(({ ended }) => ended));
  for (const { entries } of followers) expect(sequencesOf(entries)).toEqual(upTo(61));
}, 30_000);
