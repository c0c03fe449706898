import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { type Append, appendLikeMemory, outcome } from "./append-like-memory.ts";
import { eventOf } from "./entries.ts";
import { RedisStage } from "./redis-stage.ts";

const ROUNDS = process.env.INTERMODAL_SIZE === "full" ? 200 : 15;

const missing = await whyMissing("redis");
const stage = new RedisStage();
let server: Server;

beforeAll(async () => {
  if (missing === undefined) server = await startServer("redis");
});
afterAll(async () => {
  await stage.clear();
  await server?.close();
});

describe("appends of any order, repeated in any way", () => {
  test("are answered as the reference does", { timeout: 120_000 }, async (t) => {
    skipWithout(missing, t);
    await appendLikeMemory(() => stage.adapter(server.url, {}).eventStream, ROUNDS);
  });

  test("past the cap, what was stored is not stored again", { timeout: 120_000 }, async (t) => {
    skipWithout(missing, t);
    const { eventStream } = stage.adapter(server.url, { maxStreamEvents: 100 });
    const append: Append = async (events) => (await eventStream.append([{ streamId: "cap", events }]))[0] ?? [];
    // Two writers in turn: no two events of one stand together.
    for (let n = 1; n <= 300; n++) for (const writer of ["a", "b"]) await append([eventOf(n, n, writer)]);
    expect(await outcome(append, [eventOf(1, 1, "a")])).toBe("CONFLICT");
    expect(await outcome(append, [eventOf(1, 1, "a"), eventOf(301, 1, "a")])).toBe("CONFLICT");
    expect(await append([eventOf(299, 1, "a"), eventOf(300, 1, "b")])).toEqual([597, 600]);
    expect((await eventStream.read("cap")).last).toBe(600);
    // A writer that leaves out every other number for ever.
    for (let n = 1; n <= 1_200; n += 2) await append([eventOf(n, n, "odd")]);
    expect(await outcome(append, [eventOf(2, 2, "odd")])).toBe("CONFLICT");
    expect(await append([eventOf(1_198, 2, "odd")])).toEqual([1_201]);
    // Very many writers, of each of whom there is one event.
    for (let at = 0; at < 500; at++) await append([eventOf(1, at, `w${at}`)]);
    const admin = stage.admin(server.url);
    expect(await admin.hlen(`im:{${stage.namespace}:cap}:meta`)).toBeLessThan(400);
    expect(await append([eventOf(1, 1, "w499")])).toEqual([1_701]);
  });
});
