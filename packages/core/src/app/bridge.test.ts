import { expect, test } from "vitest";
import { z } from "zod";
import { defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";
import type { LifecycleName } from "./notifications.ts";

const count = defineTask("count", {
  input: z.object({ n: z.number() }),
  retry: { maxAttempts: 2, backoff: fixed(1_000) },
});
const other = defineTask("other", { input: z.object({}) });
const ALL = ["submitted", "started", "progress", "retrying", "completed", "failed"] as const;
const copies = Object.fromEntries(ALL.map((name) => [name, defineEvent(`task.${name}`)])) as Record<
  LifecycleName,
  ReturnType<typeof defineEvent>
>;

test("notifications are typed and in process, and a listener that throws disturbs nobody (C4)", async () => {
  const { app, advance, idle } = createTestApp();
  const told: string[] = [];
  app.lifecycle.on("started", () => {
    throw new Error("a broken listener");
  });
  for (const name of ALL) app.lifecycle.on(name, ({ taskId }) => told.push(`${taskId} ${name}`));
  const stop = app.lifecycle.on("started", () => told.push("never"));
  stop();
  app.handle(count, ({ n }, ctx) => {
    ctx.progress({ attempt: ctx.attempt });
    if (ctx.attempt <= n) throw new Error("not yet");
  });
  await app.start();
  await app.submit(count, { n: 1 }, { id: "a" });
  await app.submit(count, { n: 2 }, { id: "b" });
  await idle();
  await advance(2_000);
  const of = (id: string) => told.filter((line) => line.startsWith(`${id} `)).map((line) => line.slice(2));
  expect(of("a")).toEqual(["submitted", "started", "progress", "retrying", "started", "progress", "completed"]);
  expect(of("b")).toEqual(["submitted", "started", "progress", "retrying", "started", "progress", "failed"]);
  expect(told).not.toContain("never");
  await app.stop();
});

test("the chosen notifications of the chosen tasks are published, with what they tell", async () => {
  const { app, advance, idle, published } = createTestApp();
  app.bridge({ notifications: ["started", "retrying", "progress", "completed"], types: [count] });
  const heard: unknown[] = [];
  app.on(copies.completed, { listener: "audit" }, (event) => heard.push([event.id, event.version, event.data]));
  app.handle(count, ({ n }, ctx) => {
    ctx.progress(n);
    if (ctx.attempt === 1) throw new Error("not yet");
  });
  app.handle(other, () => {});
  await app.start();
  await app.submit(count, { n: 7 }, { id: "a", userId: "ada" });
  await app.submit(other, {}, { id: "b" });
  await idle();
  await advance(2_000);
  await idle();
  expect(published(copies.submitted)).toEqual([]);
  expect(published(copies.started)).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
  expect(published(copies.progress)).toMatchObject([{ progress: 7 }, { progress: 7 }]);
  expect(published(copies.retrying)).toMatchObject([{ attempt: 1, delayMs: 1_000, error: { message: "not yet" } }]);
  const about = { taskId: "a", type: "count", runId: "a", userId: "ada", series: 1 };
  expect(published(copies.completed)).toMatchObject([{ ...about, status: "COMPLETED" }]);
  // Its id derives from what it tells, so that it can be told twice and heard once.
  expect(heard).toMatchObject([["a.1.completed", "1.0", { taskId: "a" }]]);
  await app.stop();
});

test("the end of a task is owed: a broker that is away delays its copy and loses none", async () => {
  const { app, advance, failNext, published } = createTestApp();
  app.bridge({ notifications: ["completed", "failed"] });
  app.handle(count, () => failNext("eventBus", 10));
  await app.start();
  const task = await app.submit(count, { n: 0 });
  await advance(5_000);
  expect((await task.status()).status).toBe("COMPLETED");
  expect(published(copies.completed)).toEqual([]);
  await advance(120_000);
  expect(published(copies.completed)).toMatchObject([{ taskId: task.id, status: "COMPLETED" }]);
  await app.stop();
});

test("a replay is told apart from the first time", async () => {
  const { app, idle, published } = createTestApp();
  app.bridge({ notifications: ["failed", "completed"] });
  let fails = true;
  app.handle(other, () => {
    if (fails) throw Object.assign(new Error("no use"), { name: "NonRetryableError" });
  });
  await app.start();
  const task = await app.submit(other, {}, { id: "b" });
  await idle();
  fails = false;
  await task.replay();
  await idle();
  // Whoever hears of it elsewhere has no use for where it was thrown.
  const error = { name: "NonRetryableError", message: "no use" };
  expect(published(copies.failed)).toMatchObject([{ taskId: "b", series: 1, status: "FAILED", error }]);
  expect(published(copies.failed)[0]).toHaveProperty("error", error);
  expect(published(copies.completed)).toMatchObject([{ taskId: "b", series: 2 }]);
  await app.stop();
});

test("bridge() after the start is refused", async () => {
  const { app } = createTestApp();
  app.handle(other, () => {});
  await app.start();
  expect(() => app.bridge({ notifications: ["failed"] })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  await app.stop();
});
