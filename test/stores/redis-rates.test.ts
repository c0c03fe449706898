import type { RateLimit } from "@intermodal/core/ports";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { RateTable } from "../../packages/core/src/memory/rate-table.ts";
import { rateAcquire } from "../../packages/store-redis/src/lua/rate-acquire.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { RedisStage } from "./redis-stage.ts";

const missing = await whyMissing("redis");
const LONG: RateLimit = { permits: 1_000, perMs: 86_400_000 };
const BEGIN = 1_900_000_000_000;
let server: Server;
let stage: RedisStage;
beforeAll(async () => {
  if (missing === undefined) server = await startServer("redis");
});
afterAll(() => server?.close());
beforeEach(() => {
  stage = new RedisStage();
});
afterEach(async () => {
  if (missing === undefined) await stage.admin(server.url).flushall();
  await stage.clear();
});

/** What the script answers at a time of the test's, in place of the server's. */
async function askAt(admin: Redis, { permits, perMs }: RateLimit, now: number): Promise<number> {
  const lua = rateAcquire.lua.replace(/local time = .*\nlocal now = .*\n/, "local now = tonumber(ARGV[3])\n");
  expect(lua).not.toBe(rateAcquire.lua);
  return (await admin.eval(lua, 1, "k", permits, perMs, now)) as number;
}

test("at each time it answers as memory does, whatever windows are asked for and however the clock is set back", async (t) => {
  skipWithout(missing, t);
  const admin = stage.admin(server.url);
  const table = new RateTable();
  const limits = [
    { permits: 5, perMs: 100 },
    { permits: 40, perMs: 3_000 },
    { permits: 70, perMs: 7_000 },
  ];
  let now = BEGIN;
  let given = 0;
  for (let step = 1; step < 4_000; step++) {
    const limit = limits[step % 50 > 0 ? 0 : step % 150 > 0 ? 1 : 2] as RateLimit;
    const wait = await askAt(admin, limit, now);
    expect(wait, `step ${step}`).toBe(table.tryAcquire("k", limit, now));
    if (wait === 0) given++;
    now += step % 977 === 0 ? -(step * 31) % 5_000 : (step * 7) % 43;
  }
  expect(given).toBeGreaterThan(1_000);
});

test("a server whose clock is set back starves no key", async (t) => {
  skipWithout(missing, t);
  const { rateLimiter } = stage.adapter(server.url);
  const admin = stage.admin(server.url);
  const limit = { permits: 3, perMs: 1_000 };
  const take = () => rateLimiter.tryAcquire("k", limit);
  expect([await take(), await take(), await take()]).toEqual([0, 0, 0]);
  const [key] = await admin.keys(`*${stage.namespace}*`);
  // As if they had been given out before the clock was set back by an hour.
  const members = (await admin.zrangebyscore(key as string, 1, "+inf")).map((member) => member.split("-"));
  for (const [at, number] of members) {
    await admin.zrem(key as string, `${at}-${number}`);
    await admin.zadd(key as string, Number(at) + 3_600_000, `${Number(at) + 3_600_000}-${number}`);
  }
  const wait = await take();
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(limit.perMs);
  await expect.poll(take, { timeout: 10_000 }).toBe(0);
});

test("a long window that is asked for no more is let go: the key then keeps what others can see", async (t) => {
  skipWithout(missing, t);
  const admin = stage.admin(server.url);
  const short = { permits: 5, perMs: 1_000 };
  expect(await askAt(admin, LONG, BEGIN)).toBe(0);
  for (let hour = 0; hour < 49; hour++)
    for (let n = 0; n < 5; n++) expect(await askAt(admin, short, BEGIN + hour * 3_600_000 + 1_000)).toBe(0);
  await askAt(admin, short, BEGIN + 49 * 3_600_000);
  expect(await admin.zcount("k", 1, "+inf")).toBeLessThanOrEqual(10);
});

test("what an older version of the script has left counts", async (t) => {
  skipWithout(missing, t);
  const admin = stage.admin(server.url);
  await admin.zadd("k", -LONG.perMs, "longest", BEGIN, `${BEGIN}-0`, BEGIN, `${BEGIN}-1`);
  const middle = { permits: 3, perMs: 60_000 };
  expect(await askAt(admin, middle, BEGIN + 1_000)).toBe(0);
  expect(await askAt(admin, middle, BEGIN + 1_000)).toBe(59_000);
  expect(await askAt(admin, { ...LONG, permits: 4 }, BEGIN + 3_600_000)).toBe(0);
  expect(await askAt(admin, { ...LONG, permits: 4 }, BEGIN + 3_600_000)).toBe(LONG.perMs - 3_600_000);
});
