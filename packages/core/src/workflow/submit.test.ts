import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask, fixed } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";

const measure = defineTask("measure", {
  input: z.object({ at: z.iso.datetime().transform((text) => new Date(text)), unit: z.string().default("m") }),
  output: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
});
const noop = defineTask("noop", { input: z.object({ n: z.number().default(0) }), retry: { backoff: fixed(1) } });

test("the caller's own value is sent; the handler gets the schema's output, and so does result()", async () => {
  const { app, idle, sent } = createTestApp();
  const at = "2026-01-02T03:04:05Z";
  let handled: unknown;
  app.handle(measure, (params) => {
    handled = params;
    return { at: params.at.toISOString() };
  });
  await app.start();
  const task = await app.submit(measure, { at });
  await idle();
  expect(sent(measure)).toEqual([{ at }]);
  expect((await task.status()).parameters).toEqual({ at });
  expect(handled).toEqual({ at: new Date(at), unit: "m" });
  expect(await task.result()).toEqual({ at: new Date(at) });
  expect((await task.status()).result).toEqual({ at: new Date(at).toISOString() });
  await app.stop();
});

test("delayMs: it does not start before", async () => {
  const { app, advance } = createTestApp();
  app.handle(noop, () => {});
  await app.start();
  const task = await app.submit(noop, {}, { delayMs: 3_600_000 });
  await advance(3_599_999);
  expect(await task.status()).toMatchObject({ status: "QUEUED", attempts: 0 });
  await advance(2_000);
  expect(await task.status()).toMatchObject({ status: "COMPLETED" });
  await app.stop();
});

test("expiresMs: what has not started by then is FAILED as EXPIRED, what has goes on", async () => {
  const { app, advance } = createTestApp({ concurrency: 1 });
  const gate = Promise.withResolvers<void>();
  app.handle(noop, () => gate.promise);
  await app.start();
  const first = await app.submit(noop, {}, { expiresMs: 10_000 });
  const second = await app.submit(noop, {}, { expiresMs: 10_000 });
  await advance(20_000);
  gate.resolve();
  await advance(20_000);
  expect((await first.status()).status).toBe("COMPLETED");
  expect(await second.status()).toMatchObject({ status: "FAILED", attempts: 0, error: { code: "EXPIRED" } });
  await expect(second.result()).rejects.toMatchObject({ code: "TASK_FAILED", status: "FAILED" });
  await app.stop();
});

test("userId reaches the handler, its sub-tasks and the listing", async () => {
  const parent = defineTask("parent", { input: z.object({}) });
  const { app, idle } = createTestApp();
  const users: unknown[] = [];
  app.handle(noop, (_, { userId }) => {
    users.push(userId);
  });
  app.handle(parent, (_, ctx) => ctx.call(noop, {}));
  await app.start();
  const task = await app.submit(parent, {}, { userId: "ada" });
  await app.submit(noop, {}, { userId: "grace" });
  await idle();
  expect(users.sort()).toEqual(["ada", "grace"]);
  const { items } = await app.tasks.list({ userId: "ada" });
  expect(items.map(({ type }) => type).sort()).toEqual(["noop", "parent"]);
  expect((await app.tasks.list({ parentId: task.id })).items).toMatchObject([{ type: "noop", runId: task.id }]);
  await app.stop();
});

test("without defer a submit that can't be sent leaves nothing to run; with it the task waits for the broker", async () => {
  const { app, advance, failNext, idle } = createTestApp();
  app.handle(noop, () => {});
  await app.start();
  failNext("commandBus");
  await expect(app.submit(noop, {}, { id: "now" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  failNext("commandBus");
  const deferred = await app.submit(noop, {}, { id: "later", defer: true });
  await idle();
  expect(await deferred.status()).toMatchObject({ status: "QUEUED" });
  await advance(120_000);
  expect(await deferred.status()).toMatchObject({ status: "COMPLETED" });
  expect(await app.tasks.get("now")).toMatchObject({ status: "CANCELLED" });
  await app.stop();
});

test("a store that is away refuses the submit, and nothing is sent", async () => {
  const { app, failNext, sent } = createTestApp();
  failNext("taskStateStore");
  await expect(app.submit(noop, {}, { id: "x" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(sent(noop)).toEqual([]);
  expect(await app.tasks.get("x")).toBeUndefined();
  await app.stop();
});

test("result() times out, gives up at its signal, and knows what there is not", async () => {
  const { app, advance } = createTestApp();
  const task = await app.submit(noop, {});
  const timedOut = expect(task.result({ timeoutMs: 1_000 })).rejects.toMatchObject({ code: "TIMEOUT" });
  await advance(1_000);
  await timedOut;
  await expect(task.result({ signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  await expect(app.task(noop, "nobody").result()).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(app.task(noop, "nobody").status()).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(app.task(noop, "nobody").cancel()).rejects.toMatchObject({ code: "NOT_FOUND" });
  await app.stop();
});

test("inside a handler too, result() of a sub-task's handle keeps to its limit and its signal", async () => {
  const parent = defineTask("parent", { input: z.object({}), output: z.string() });
  const { app, advance } = createTestApp();
  app.handle(parent, async (_, ctx) => {
    const step = await ctx.submit(noop, {}, { delayMs: 60_000 });
    const given = await step.result({ signal: AbortSignal.abort("enough") }).catch((error: unknown) => String(error));
    const late = await step.result({ timeoutMs: 1_000 }).catch((error: { code: string }) => error.code);
    await step.result();
    return `${given} ${late}`;
  });
  app.handle(noop, () => {});
  await app.start();
  const task = await app.submit(parent, {});
  await advance(90_000);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", result: "enough TIMEOUT" });
  await app.stop();
});

test("a finished run is kept for its retention, and gone afterwards", async () => {
  const brief = defineTask("brief", { input: z.object({}), retentionMs: 60_000 });
  const { app, advance } = createTestApp();
  app.handle(brief, () => {});
  await app.start();
  const task = await app.submit(brief, {});
  await advance(30_000);
  expect(await app.tasks.get(task.id)).toMatchObject({ status: "COMPLETED", outcome: "success" });
  await advance(90_000);
  expect(await app.tasks.get(task.id)).toBeUndefined();
  await app.stop();
});
