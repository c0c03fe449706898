import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
});

test("a hook that throws does not bring a skipped event back", async () => {
  let told = 0;
  const { app, advance, idle } = createTestApp({
    onSkippedEvent: () => {
      told++;
      throw new Error("a broken hook");
    },
  });
  app.on(defineEvent("e", { version: "1.0" }), { listener: "l" }, () => {});
  await app.start();
  await app.publish(defineEvent("e", { version: "2.0" }), {});
  await advance(60_000);
  expect(told).toBe(1);
  await idle();
  await app.stop();
});

test("a lifecycle listener or hook that rejects ends no process", async () => {
  const { app, advance } = createTestApp({
    onSkippedEvent: async () => {
      throw new Error("a broken hook");
    },
  });
  const task = defineTask("t", { input: z.object({}) });
  const rejects: () => unknown = async () => {
    throw new Error("a broken listener");
  };
  app.lifecycle.on("completed", rejects as () => void);
  app.on(defineEvent("e", { version: "1.0" }), { listener: "l" }, () => {});
  app.handle(task, () => {});
  await app.start();
  await app.submit(task, {});
  await app.publish(defineEvent("e", { version: "2.0" }), {});
  await advance(1_000);
  expect(unhandled).toEqual([]);
  await app.stop();
});

test("a retry policy that throws costs the error it was asked about nothing", async () => {
  const broken = {
    maxAttempts: 2,
    backoff: fixed(100),
    when: () => {
      throw new Error("a broken policy");
    },
  };
  const { app, advance } = createTestApp();
  const task = defineTask("t", { input: z.object({}), retry: broken });
  const command = defineCommand("c", { input: z.object({}), retry: broken });
  app.handle(task, () => {
    throw new Error("the reason");
  });
  let runs = 0;
  app.handle(command, () => {
    runs++;
    throw new Error("the reason");
  });
  await app.start();
  const handle = await app.submit(task, {});
  await app.send(command, {});
  await advance(5_000);
  expect(await handle.status()).toMatchObject({
    status: "DEAD_LETTER",
    attempts: 2,
    error: { message: "the reason" },
  });
  expect(runs).toBe(2);
  const { items } = await app.deadLetters.list();
  expect(items).toHaveLength(2);
  await app.stop();
});
