import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { silentLogger } from "../ports/logger.ts";
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

test("without a rate limiter a limit can't be kept, and start() says so", async () => {
  const clock = new VirtualClock();
  const context = { namespace: "test", clock, logger: silentLogger };
  const { commandBus, eventBus, taskStateStore } = new MemoryAdapter(new MemoryServer(clock), context);
  const app = createApp({ name: "a", clock, ports: { commandBus, eventBus, taskStateStore } });
  app.handle(limited("ask"), () => {});
  await expect(app.start()).rejects.toMatchObject({ code: "PORT_MISSING", message: expect.stringContaining('"ask"') });
});
