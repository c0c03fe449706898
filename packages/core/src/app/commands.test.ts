import { expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { NonRetryableError, RetryAfterError } from "../errors.ts";
import { createTestApp } from "../testing/index.ts";
import { decodeCommand } from "../wire/envelope.ts";

const ring = defineCommand("ring", {
  input: z.object({ door: z.string().transform((text) => text.toUpperCase()) }),
  retry: { maxAttempts: 3, backoff: fixed(1_000), when: (error) => !(error instanceof TypeError) },
  timeoutMs: 5_000,
});

test("a command is handled once, by the output of its schema, and nothing is stored", async () => {
  const { app, idle, sent } = createTestApp();
  const rung: string[] = [];
  app.handle(ring, ({ door }, ctx) => rung.push(`${ctx.id} ${door} ${ctx.attempt}`));
  await app.start();
  await app.send(ring, { door: "front" }, { id: "r" });
  await app.send(ring, { door: "front" }, { id: "r" });
  await idle();
  expect(rung).toEqual(["r FRONT 1"]);
  expect(sent(ring)).toEqual([{ door: "front" }, { door: "front" }]);
  expect((await app.tasks.list()).items).toEqual([]);
  await app.stop();
});

test("it is delayed, retried after its backoff, and dead-lettered at the end", async () => {
  const { app, advance, clock } = createTestApp();
  const start = clock.now();
  const at: number[] = [];
  app.handle(ring, () => {
    at.push(clock.now() - start);
    throw new Error("nobody at home");
  });
  await app.start();
  await app.send(ring, { door: "front" }, { delayMs: 60_000 });
  await advance(59_999);
  expect(at).toEqual([]);
  await advance(10_000);
  expect(at).toEqual([60_000, 61_000, 62_000]);
  expect((await app.deadLetters.list()).items).toMatchObject([{ attempts: 3 }]);
  await app.stop();
});

test.each([
  ["NonRetryableError", () => new NonRetryableError("no such door")],
  ["what retry.when refuses", () => new TypeError("no such door")],
])("%s is dead-lettered at once", async (_, error) => {
  const { app, idle } = createTestApp();
  app.handle(ring, () => {
    throw error();
  });
  await app.start();
  await app.send(ring, { door: "back" });
  await idle();
  expect((await app.deadLetters.list()).items).toMatchObject([{ attempts: 1, reason: "no such door" }]);
  await app.stop();
});

test("RetryAfterError chooses the delay", async () => {
  const { app, advance, clock } = createTestApp();
  const start = clock.now();
  const at: number[] = [];
  app.handle(ring, () => {
    at.push(clock.now() - start);
    if (at.length === 1) throw new RetryAfterError(30_000);
  });
  await app.start();
  await app.send(ring, { door: "front" });
  await advance(40_000);
  expect(at).toEqual([0, 30_000]);
  await app.stop();
});

test("timeoutMs aborts the signal, and the attempt counts", async () => {
  const { app, advance } = createTestApp();
  const reasons: unknown[] = [];
  app.handle(ring, (_, { signal }) => {
    if (reasons.length > 0) return;
    return new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        reject(signal.reason);
      }),
    );
  });
  await app.start();
  await app.send(ring, { door: "front" });
  await advance(4_999);
  expect(reasons).toEqual([]);
  await advance(2_000);
  expect(reasons).toMatchObject([{ code: "TIMEOUT" }]);
  expect(await app.inspectQueue()).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
  await app.stop();
});

test("bytes of another program that fail the schema are dead-lettered as they came", async () => {
  const strict = defineCommand("strict", { input: z.object({ n: z.number() }) });
  const loose = defineCommand("strict", { input: z.any() });
  const { app, idle } = createTestApp();
  app.handle(strict, () => {});
  await app.start();
  await app.send(loose, { n: "one" });
  await idle();
  const [letter] = (await app.deadLetters.list()).items;
  expect(letter?.reason).toMatch(/input of command "strict" is invalid: n:/);
  expect(decodeCommand(letter?.body as Uint8Array).data).toEqual({ n: "one" });
  await app.stop();
});

test("what a handler sends has the same ids in every try, so that a second try doubles nothing", async () => {
  const opened = defineEvent("opened", { data: z.object({ n: z.number() }) });
  const greet = defineTask("greet", { input: z.object({}) });
  const lamp = defineCommand("lamp", { input: z.object({ n: z.number() }) });
  const { app, advance } = createTestApp();
  const seen: string[] = [];
  app.handle(ring, async (_, ctx) => {
    for (const n of [1, 2]) {
      await ctx.publish(opened, { n });
      await ctx.send(lamp, { n });
    }
    await ctx.submit(greet, {});
    if (ctx.attempt === 1) throw new Error("fell over the mat");
  });
  app.handle(lamp, ({ n }) => seen.push(`lamp ${n}`));
  app.handle(greet, () => {
    seen.push("greeted");
  });
  app.on(opened, { listener: "l" }, ({ data }) => seen.push(`opened ${data.n}`));
  await app.start();
  await app.send(ring, { door: "front" });
  await advance(5_000);
  expect(seen.sort()).toEqual(["greeted", "lamp 1", "lamp 2", "opened 1", "opened 2"]);
  await app.stop();
});

test("a type that nobody knows comes back, others pass, and past its age it is dead-lettered", async () => {
  const unknown = defineCommand("unknown", { input: z.object({}) });
  const newer = defineCommand("ring", { version: "2.0", input: z.object({}) });
  const { app, advance, idle } = createTestApp({ unknownType: { maxAgeMs: 60_000, delayMs: 5_000 } });
  let rung = 0;
  app.handle(ring, () => ++rung);
  await app.start();
  await app.send(unknown, {});
  await app.send(newer, {});
  await app.send(ring, { door: "front" });
  await idle();
  expect(rung).toBe(1);
  expect(await app.inspectQueue()).toMatchObject({ delayed: 2, dead: 0 });
  await advance(70_000);
  const reasons = (await app.deadLetters.list()).items.map(({ reason }) => reason).sort();
  expect(reasons).toEqual([
    `no worker of queue "default" knows type "ring" version 2.0`,
    `no worker of queue "default" knows type "unknown" version 1.0`,
  ]);
  await app.stop();
});
