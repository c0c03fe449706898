import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";

const parent = defineTask("parent", { input: z.object({}), retry: { maxAttempts: 2, backoff: fixed(1_000) } });
const child = defineTask("child", { input: z.object({ ms: z.number().default(0) }), queue: "children" });
const noted = defineEvent("noted", { data: z.object({}) });

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
});

/** A worker of one slot per queue, whose handlers can wait on the test's clock. */
function worker() {
  const made = createTestApp({ concurrency: 1 });
  const sleep = (ms: number) => new Promise<void>((resolve) => void made.clock.schedule(ms, resolve));
  made.app.handle(child, ({ ms }) => sleep(ms));
  return { ...made, sleep };
}

test("a handler that ends before a call it has given up gives its slot back exactly once", async () => {
  const { app, advance, sleep } = worker();
  let running = 0;
  let most = 0;
  app.handle(parent, async (_, ctx) => {
    running++;
    most = Math.max(most, running);
    await Promise.race([ctx.call(child, { ms: 5_000 }), sleep(100)]);
    await sleep(100);
    running--;
  });
  await app.start();
  const first = await app.submit(parent, {});
  await advance(10_000);
  expect((await first.status()).status).toBe("COMPLETED");
  // The slot is free again, and there is one.
  const more = await Promise.all(Array.from({ length: 4 }, () => app.submit(parent, {})));
  await advance(60_000);
  for (const task of more) expect((await task.status()).status).toBe("COMPLETED");
  await app.stop();
});

test("a handler that fails while a call of its own begins is retried at its time", async () => {
  for (let turns = 0; turns < 40; turns++) {
    const { app, advance } = worker();
    let attempts = 0;
    app.handle(parent, async (_, ctx) => {
      attempts++;
      if (attempts > 1) return;
      ctx.call(child, { ms: 0 }).catch(() => {});
      for (let turn = 0; turn < turns; turn++) await undefined;
      throw new Error("no patience");
    });
    await app.start();
    const task = await app.submit(parent, {});
    await advance(3_000);
    expect(`${turns}: ${(await task.status()).status}`).toBe(`${turns}: COMPLETED`);
    const another = await app.submit(parent, {});
    await advance(3_000);
    expect((await another.status()).status).toBe("COMPLETED");
    await app.stop();
  }
});

test("what a handler forgot to await ends no process", async () => {
  const { app, advance } = worker();
  app.handle(parent, (_, ctx) => {
    void ctx.call(child, { ms: 1_000 });
    void ctx.submit(child, {}, { key: "other" });
    setImmediate(() => void ctx.publish(noted, {}));
  });
  await app.start();
  const task = await app.submit(parent, {});
  await advance(20_000);
  expect((await task.status()).status).toBe("COMPLETED");
  expect(unhandled).toEqual([]);
  await app.stop();
});

test("progress after the handler's end is told to nobody", async () => {
  const { app, advance, sleep } = worker();
  const told: unknown[] = [];
  app.lifecycle.on("progress", ({ progress }) => told.push(progress));
  app.handle(parent, (_, ctx) => {
    ctx.progress(1);
    void sleep(1_000).then(() => ctx.progress(2));
  });
  await app.start();
  await app.submit(parent, {});
  await advance(5_000);
  expect(told).toEqual([1]);
  await app.stop();
});
