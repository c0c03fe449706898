import { setTimeout as sleep } from "node:timers/promises";
import { isIntermodalError } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { type Server, startProxy, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf, follow, sequencesOf, upTo } from "./entries.ts";
import { RedisStage } from "./redis-stage.ts";

const FULL = process.env.INTERMODAL_SIZE === "full";
const LIMIT_MS = 120_000;

/** Each on a server of its own kind and its own life. */
function onEach(title: string, run: (stage: RedisStage, server: Server) => Promise<void>): void {
  for (const kind of ["redis", "valkey"] as const) {
    test(`${kind}: ${title}`, { timeout: LIMIT_MS, concurrent: true }, async (t) => {
      skipWithout(await whyMissing(kind), t);
      const server = await startServer(kind, { args: ["--loglevel", "warning"] });
      const stage = new RedisStage();
      try {
        await run(stage, server);
      } finally {
        await stage.clear();
        await server.close();
      }
    });
  }
}

/** Repeats what rejects with `UNAVAILABLE`, as the writer of a run does. */
async function persist<T>(step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
      await sleep(20);
    }
  }
}

onEach("connections killed every 500 ms while streams are written and followed", async (stage, server) => {
  const reader = stage.adapter(server.url).eventStream;
  const writer = stage.adapter(server.url, {}).eventStream;
  const admin = stage.admin(server.url);
  const followers = Array.from({ length: 20 }, (_, at) => follow(reader, `s${at % 4}`));
  const until = performance.now() + (FULL ? 60_000 : 5_000);
  let killed = 0;
  const killing = (async () => {
    while (performance.now() < until) {
      await sleep(500);
      for (const type of ["normal", "pubsub"])
        killed += Number(await admin.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes"));
    }
  })();
  const written = await Promise.all(
    [0, 1, 2, 3].map(async (stream) => {
      let n = 0;
      while (performance.now() < until) {
        n += 2;
        const events = [eventOf(n - 1), eventOf(n)];
        await persist(() => writer.append([{ streamId: `s${stream}`, events }]));
        await sleep(5);
      }
      await persist(() => writer.finish([{ streamId: `s${stream}`, event: eventOf(n + 1), ttlMs: 60_000 }]));
      return n + 1;
    }),
  );
  await killing;
  await Promise.all(followers.map(({ ended }) => ended));
  expect(killed).toBeGreaterThan(10);
  for (const [at, { entries }] of followers.entries()) {
    expect(sequencesOf(entries)).toEqual(upTo(written[at % 4] as number));
    expect(entries.map((entry) => "data" in entry && entry.data)).toEqual(upTo(written[at % 4] as number));
  }
});

onEach("the script cache flushed in the middle", async (stage, server) => {
  const { eventStream, rateLimiter, inbox } = stage.adapter(server.url);
  const admin = stage.admin(server.url);
  const follower = follow(eventStream, "s");
  const last = FULL ? 2_000 : 200;
  let over = false;
  const flushing = (async () => {
    for (; !over; await sleep(3)) await admin.script("FLUSH");
  })();
  for (let n = 1; n < last; n++) {
    const [first] = await eventStream.append([{ streamId: "s", events: [eventOf(n)] }]);
    expect(first).toEqual([n]);
    if (n % 10 === 0) {
      expect(await rateLimiter.tryAcquire("k", { permits: 1_000, perMs: 60_000 })).toBe(0);
      expect(await inbox.reserve("l", `m${n}`, { leaseMs: 60_000, node: "n" })).toBe("reserved");
    }
  }
  await eventStream.finish([{ streamId: "s", event: eventOf(last), ttlMs: 60_000 }]);
  over = true;
  await flushing;
  await follower.ended;
  expect(sequencesOf(follower.entries)).toEqual(upTo(last));
});

onEach("an outage much longer than a follower's poll", async (stage, server) => {
  const options = { streamPollMs: 200, commandTimeoutMs: 1_000 };
  const { eventStream } = stage.adapter(server.url, options);
  await eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
  const followers = [follow(eventStream, "s"), follow(eventStream, "s"), follow(eventStream, "none")];
  await vi.waitFor(() => expect(followers[1]?.entries).toHaveLength(1));
  await server.kill();
  await expect(eventStream.read("s")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await sleep(4_000);
  const started = performance.now();
  await expect(eventStream.read("s")).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
  expect(performance.now() - started, "known to be away: no waiting").toBeLessThan(500);
  await server.start();
  await persist(() => eventStream.append([{ streamId: "s", events: [eventOf(1), eventOf(2)] }]));
  for (const streamId of ["s", "none"])
    await persist(() => eventStream.finish([{ streamId, event: eventOf(3), ttlMs: 60_000 }]));
  await Promise.all(followers.map(({ ended }) => ended));
  expect(followers.map(({ entries }) => sequencesOf(entries))).toEqual([[1, 2, 3], [1, 2, 3], [1]]);
  expect(stage.book.text.match(/connection was lost/g), "told once, not once per call").toHaveLength(1);
});

onEach("a server that stops answering, its connections open", async (stage, server) => {
  const { eventStream } = stage.adapter(server.url, { commandTimeoutMs: 1_000 });
  await eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
  const follower = follow(eventStream, "s");
  await vi.waitFor(() => expect(follower.entries).toHaveLength(1));
  await server.freeze();
  const started = performance.now();
  await expect(eventStream.append([{ streamId: "s", events: [eventOf(2)] }])).rejects.toMatchObject({
    code: "UNAVAILABLE",
    unknown: true,
  });
  expect(performance.now() - started).toBeLessThan(3_000);
  await sleep(8_000);
  await server.unfreeze();
  await persist(() => eventStream.append([{ streamId: "s", events: [eventOf(2), eventOf(3)] }]));
  await vi.waitFor(() => expect(sequencesOf(follower.entries)).toEqual([1, 2, 3]), { timeout: 20_000 });
});

onEach("only the connection for subscriptions falls silent", async (stage, server) => {
  // The one for commands is made first and comes by another way.
  let toServer = server.port;
  const silent = await startProxy(server.port);
  stage.atEnd(() => silent.close());
  const proxy = await startProxy(() => toServer);
  stage.atEnd(() => proxy.close());
  const reader = stage.adapter(`redis://127.0.0.1:${proxy.port}`, { streamPollMs: 600_000 });
  await reader.connect();
  toServer = silent.port;
  const follower = follow(reader.eventStream, "s");
  const writer = stage.adapter(server.url).eventStream;
  await vi.waitFor(() => expect(silent.connections).toBe(1));
  await writer.append([{ streamId: "s", events: [eventOf(1)] }]);
  await vi.waitFor(() => expect(follower.entries).toHaveLength(1));
  silent.blackHole();
  toServer = server.port;
  await writer.append([{ streamId: "s", events: [eventOf(2)] }]);
  await vi.waitFor(() => expect(sequencesOf(follower.entries)).toEqual([1, 2]), { timeout: 20_000 });
});

onEach("a thousand followers over many streams need two connections", async (stage, server) => {
  const { eventStream } = stage.adapter(server.url);
  const admin = stage.admin(server.url);
  const followers = Array.from({ length: 1_000 }, (_, at) => follow(eventStream, `s${at % 300}`));
  const streamIds = Array.from({ length: 300 }, (_, at) => `s${at}`);
  await eventStream.append(streamIds.map((streamId) => ({ streamId, events: [eventOf(1)] })));
  await vi.waitFor(() => expect(followers.every(({ entries }) => entries.length === 1)).toBe(true), {
    timeout: 20_000,
  });
  await eventStream.append(streamIds.map((streamId) => ({ streamId, events: [eventOf(2)] })));
  const list = String(await admin.client("LIST"));
  expect(list.trim().split("\n")).toHaveLength(3);
  await eventStream.finish(streamIds.map((streamId) => ({ streamId, event: eventOf(3), ttlMs: 60_000 })));
  await Promise.all(followers.map(({ ended }) => ended));
  for (const { entries } of followers) expect(sequencesOf(entries)).toEqual([1, 2, 3]);
  await vi.waitFor(async () => expect(await admin.pubsub("CHANNELS")).toEqual([]));
});
