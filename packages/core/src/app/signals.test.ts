import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";

const slow = defineTask("slow", { input: z.object({}) });

// A signal of the machine's own would end the test runner.
const SIGNAL = "SIGINTERMODAL";
const listeners = () => process.listenerCount(SIGNAL);

afterEach(() => process.removeAllListeners(SIGNAL));

test("signal handlers are installed only by option", async () => {
  const before = ["SIGTERM", "SIGINT"].map((signal) => process.listenerCount(signal));
  const { app } = createTestApp();
  app.handle(slow, () => {});
  await app.start();
  expect(["SIGTERM", "SIGINT"].map((signal) => process.listenerCount(signal))).toEqual(before);
  await app.stop();
});

test("a signal drains: what runs may end, then the app is stopped", async () => {
  const { app, advance, clock } = createTestApp({ signals: [SIGNAL] });
  const gate = Promise.withResolvers<void>();
  app.handle(slow, () => gate.promise);
  await app.start();
  const task = await app.submit(slow, {});
  await advance(0);
  process.emit(SIGNAL as NodeJS.Signals, SIGNAL as NodeJS.Signals);
  await advance(100);
  expect((await app.health()).state).toBe("stopping");
  gate.resolve();
  await clock.settle();
  expect(await app.stop()).toEqual({ unfinished: [] });
  expect(await task.status()).toMatchObject({ status: "COMPLETED" });
  expect((await app.health()).state).toBe("stopped");
});

test("a stopped app leaves no signal handler behind", async () => {
  const { app } = createTestApp({ signals: [SIGNAL] });
  expect(listeners()).toBe(1);
  await app.stop();
  expect(listeners()).toBe(0);
});
