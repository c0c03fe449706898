import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineTask, fixed } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { sleep } from "../ports/clock.ts";
import { type Logger, silentLogger } from "../ports/logger.ts";
import type { RateLimiter } from "../ports/rate-limiter.ts";
import { createTestApp, VirtualClock } from "../testing/index.ts";

const limited = (name: string, key?: string) =>
  defineTask(name, { input: z.object({}), rateLimit: { permits: 2, perMs: 10_000, key } });

test("no more attempts start than the limit permits; the rest come later, uncounted", async () => {
  const ask = limited("ask");
  const free = defineTask("free", { input: z.object({}) });
  const { app, advance, clock } = createTestApp();
  const start = clock.now();
  const at: number[] = [];
  let others = 0;
  app.handle(ask, () => {
    at.push(clock.now() - start);
  });
  app.handle(free, () => {
    others++;
  });
  await app.start();
  const tasks = await Promise.all(Array.from({ length: 6 }, () => app.submit(ask, {})));
  await app.submit(free, {});
  await advance(0);
  expect(at).toEqual([0, 0]);
  expect(others).toBe(1);
  await advance(60_000);
  expect(at).toHaveLength(6);
  for (const [index, time] of at.entries()) {
    expect(at.filter((other) => other > time - 10_000 && other <= time).length, `at ${index}`).toBeLessThanOrEqual(2);
  }
  const ended = await Promise.all(tasks.map((task) => task.status()));
  expect(ended.map(({ status, attempts, retryCount }) => [status, attempts, retryCount])).toEqual(
    tasks.map(() => ["COMPLETED", 1, 0]),
  );
  await app.stop();
});

test("tasks with the same key share the permits", async () => {
  const one = limited("one", "model");
  const two = limited("two", "model");
  const { app, advance } = createTestApp();
  const started: string[] = [];
  for (const contract of [one, two]) {
    app.handle(contract, () => {
      started.push(contract.name);
    });
  }
  await app.start();
  for (const contract of [one, two, one, two]) await app.submit(contract, {});
  await advance(0);
  expect(started).toHaveLength(2);
  await advance(30_000);
  expect(started.sort()).toEqual(["one", "one", "two", "two"]);
  await app.stop();
});

/** An app over a server in memory, whose rate limiter is under the test's hands. */
function withLimiter(change: (limiter: RateLimiter) => RateLimiter["tryAcquire"], logger: Logger = silentLogger) {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { commandBus, eventBus, taskStateStore, rateLimiter } = adapter;
  const ports = { commandBus, eventBus, taskStateStore, rateLimiter: { tryAcquire: change(rateLimiter) } };
  return { app: createApp({ name: "a", namespace: "test", clock, logger, ports }), clock, taskStateStore };
}

test.each(["UNAVAILABLE", "CONFIG_INVALID", "CLOSED"] as const)(
  "while the limiter fails with %s, messages come back uncounted, and that is told once",
  async (code) => {
    const told: unknown[] = [];
    let asked = 0;
    let isAway = true;
    const { app, clock } = withLimiter(
      (limiter) => (key, limit) => {
        asked++;
        if (isAway) return Promise.reject(new IntermodalError(code, "refused by the test"));
        return limiter.tryAcquire(key, limit);
      },
      { ...silentLogger, warn: (message, fields) => void told.push([message, fields]) },
    );
    const attempts: number[] = [];
    app.handle(limited("ask"), (_, context) => void attempts.push(context.attempt));
    await app.start();
    const tasks = [await app.submit(limited("ask"), {}), await app.submit(limited("ask"), {})];
    await clock.advance(60_000);
    expect(asked).toBeGreaterThan(50);
    expect(attempts).toEqual([]);
    expect(told).toEqual([
      [expect.stringContaining("come back"), { type: "ask", queue: "default", error: "refused by the test" }],
    ]);
    isAway = false;
    await clock.advance(2_000);
    expect(attempts).toEqual([1, 1]);
    expect(await Promise.all(tasks.map(async (task) => (await task.status()).status))).toEqual([
      "COMPLETED",
      "COMPLETED",
    ]);
    await app.stop();
  },
);

test("what is not to run takes no permit: cancelled, ended, expired or before its next attempt's time", async () => {
  const ask = defineTask("ask", {
    input: z.object({ fails: z.number().optional() }),
    rateLimit: { permits: 1, perMs: 10_000 },
    retry: { maxAttempts: 3, backoff: fixed(35_000) },
  });
  const { app, advance, clock } = createTestApp();
  const begin = clock.now();
  const ran: [string, number][] = [];
  app.handle(ask, ({ fails = 0 }, { id, attempt }) => {
    ran.push([id, clock.now() - begin]);
    if (attempt <= fails) throw new Error("not yet");
  });
  await app.start();
  await app.submit(ask, { fails: 1 }, { id: "first" });
  await advance(1_000);
  const cancelled = await Promise.all(Array.from({ length: 30 }, () => app.submit(ask, {})));
  for (let n = 0; n < 10; n++) await app.submit(ask, {}, { expiresMs: 2_000 });
  await advance(1_000);
  for (const task of cancelled) await task.cancel();
  await advance(1_000);
  await app.submit(ask, {}, { id: "last" });
  await advance(60_000);
  expect(ran.map(([id]) => id)).toEqual(["first", "last", "first"]);
  expect(ran[1]?.[1]).toBeLessThan(13_000);
  expect(ran[2]?.[1]).toBeLessThan(40_000);
  await app.stop();
});

test("a permit is taken by what has a slot: none is lost to what waits for one", async () => {
  const ask = defineTask("ask", { input: z.object({}), rateLimit: { permits: 2, perMs: 60_000 } });
  const wait = defineTask("wait", { input: z.object({}) });
  const call = defineTask("call", { input: z.object({}) });
  let permits = 0;
  const { app, clock } = withLimiter((limiter) => async (key, limit) => {
    const waitMs = await limiter.tryAcquire(key, limit);
    if (waitMs === 0) permits++;
    return waitMs;
  });
  let ran = 0;
  app.handle(ask, () => void ran++);
  app.handle(wait, () => sleep(clock, 5_000));
  // Resumed, it has a slot and no delivery any more: what is delivered beside it has to wait.
  app.handle(call, async (_, context) => {
    await context.call(wait, {});
    await sleep(clock, 40_000);
  });
  await app.start();
  for (let n = 0; n < 10; n++) await app.submit(call, {});
  await clock.advance(20_000);
  await app.submit(ask, {});
  await clock.advance(15_000);
  expect([ran, permits]).toEqual([0, 0]);
  await clock.advance(60_000);
  expect([ran, permits]).toEqual([1, 1]);
  await app.stop();
});

test("what could not run when it was looked up, and can when it is claimed, runs with a permit or is given back", async () => {
  const { app, clock, taskStateStore } = withLimiter((limiter) => (key, limit) => limiter.tryAcquire(key, limit));
  const ran: number[] = [];
  app.handle(limited("ask"), (_, { attempt }) => void ran.push(attempt));
  const get = taskStateStore.get.bind(taskStateStore);
  // As another process would see it whose clock is behind, or a moment before.
  taskStateStore.get = async (ids) =>
    (await get(ids)).map((record) => record && { ...record, nextAttemptAt: clock.now() + 1 });
  await app.start();
  const tasks = await Promise.all([1, 2, 3].map(() => app.submit(limited("ask"), {})));
  await clock.advance(5_000);
  expect(ran).toEqual([1, 1]);
  await clock.advance(20_000);
  expect(ran).toEqual([1, 1, 1]);
  taskStateStore.get = get;
  const ended = await Promise.all(tasks.map((task) => task.status()));
  expect(ended.map(({ status, attempts }) => [status, attempts])).toEqual(tasks.map(() => ["COMPLETED", 1]));
  await app.stop();
});

test("without a rate limiter a limit can't be kept, and start() says so", async () => {
  const clock = new VirtualClock();
  const context = { namespace: "test", clock, logger: silentLogger };
  const { commandBus, eventBus, taskStateStore } = new MemoryAdapter(new MemoryServer(clock), context);
  const app = createApp({ name: "a", clock, ports: { commandBus, eventBus, taskStateStore } });
  app.handle(limited("ask"), () => {});
  await expect(app.start()).rejects.toMatchObject({ code: "PORT_MISSING", message: expect.stringContaining('"ask"') });
});
