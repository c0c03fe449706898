import { expect, test } from "vitest";
import { z } from "zod";
import { defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { NonRetryableError } from "../errors.ts";
import { createTestApp } from "../testing/index.ts";
import { TaskFailedError } from "../worker/errors.ts";

const number = z.object({ n: z.number() });
const add = defineTask("add", { input: number, output: number, retry: { maxAttempts: 2, backoff: fixed(1_000) } });
const twice = defineTask("twice", { input: number, output: number });
const whole = defineTask("whole", { input: number, output: number, retry: { backoff: fixed(1_000) } });
const done = defineEvent("done", { data: number });

/** A workflow of two steps that publishes at its end. `fails`: for which numbers the second step fails. */
async function workflow(fails: (n: number) => boolean = () => false) {
  const test = createTestApp({ concurrency: 1 });
  const ran: string[] = [];
  test.app.handle(add, ({ n }) => {
    ran.push(`add ${n}`);
    return { n: n + 1 };
  });
  test.app.handle(twice, ({ n }) => {
    ran.push(`twice ${n}`);
    if (fails(n)) throw new NonRetryableError(`no ${n}`);
    return { n: 2 * n };
  });
  test.app.handle(whole, async (start, ctx) => {
    const result = await ctx.call(twice, await ctx.call(add, start));
    await ctx.publish(done, result);
    return result;
  });
  await test.app.start();
  return { ...test, ran };
}

test("data is passed from step to step, and the completion is published after all steps (A8), on one slot", async () => {
  const { app, advance, ran, published } = await workflow();
  const task = await app.submit(whole, { n: 1 });
  await advance(1_000);
  expect(await task.result()).toEqual({ n: 4 });
  expect(ran).toEqual(["add 1", "twice 2"]);
  expect(published(done)).toEqual([{ n: 4 }]);
  await app.stop();
});

test("a failed step stops the workflow, its error reaches the workflow's caller, and nothing is published", async () => {
  const { app, advance, published } = await workflow(() => true);
  const task = await app.submit(whole, { n: 1 });
  await advance(1_000);
  const error: unknown = await task.result().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TaskFailedError);
  expect(error).toMatchObject({ status: "FAILED", message: expect.stringContaining("no 2") });
  expect(published(done)).toEqual([]);
  expect((await task.status()).children).toEqual({ total: 2, open: 0, completed: 1, failed: 1 });
  await app.stop();
});

test("replay runs the failed step again and finds the finished one; a changed input runs everything again", async () => {
  let fails = true;
  const { app, advance, ran } = await workflow(() => fails);
  const task = await app.submit(whole, { n: 1 });
  await advance(1_000);
  fails = false;
  await task.replay();
  await advance(1_000);
  expect(await task.result()).toEqual({ n: 4 });
  expect(ran).toEqual(["add 1", "twice 2", "twice 2"]);
  await task.replay({ input: { n: 10 } });
  await advance(1_000);
  expect(await task.result()).toEqual({ n: 22 });
  expect(ran.slice(3)).toEqual(["add 10", "twice 11"]);
  await expect(task.replay({ input: { n: "ten" } as never })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
  await app.stop();
});

test("handed-out sub-tasks keep the parent open; a failed one makes it COMPLETED_WITH_ERRORS, with its result", async () => {
  const parent = defineTask("parent", { input: z.object({}), output: z.string() });
  const { app, advance } = createTestApp();
  const gate = Promise.withResolvers<void>();
  app.handle(twice, async ({ n }) => {
    await gate.promise;
    if (n === 2) throw new NonRetryableError("no 2");
    return { n };
  });
  app.handle(parent, async (_, ctx) => {
    for (const n of [1, 2, 3]) await ctx.submit(twice, { n }, { key: `part ${n}` });
    return "handed out";
  });
  await app.start();
  const task = await app.submit(parent, {});
  await advance(1_000);
  expect(await task.status()).toMatchObject({
    status: "RUNNING",
    phase: "awaiting-children",
    children: { total: 3, open: 3, completed: 0, failed: 0 },
  });
  gate.resolve();
  await advance(1_000);
  expect(await task.status()).toMatchObject({
    status: "COMPLETED_WITH_ERRORS",
    outcome: "failure",
    children: { total: 3, open: 0, completed: 2, failed: 1 },
  });
  expect(await task.result()).toBe("handed out");
  await app.stop();
});

test("the same step key twice in one run is an error that no retry repeats", async () => {
  const { app, advance } = createTestApp();
  let attempts = 0;
  app.handle(add, ({ n }) => ({ n }));
  app.handle(whole, async (start, ctx) => {
    attempts++;
    await ctx.call(add, start);
    return ctx.call(add, start);
  });
  await app.start();
  const task = await app.submit(whole, { n: 1 });
  await advance(60_000);
  expect(await task.status()).toMatchObject({ status: "FAILED", error: { code: "DUPLICATE_KEY" } });
  expect(attempts).toBe(1);
  await app.stop();
});

test("cancelling reaches the handler's signal and every sub-task; what had finished stays finished", async () => {
  const { app, advance } = createTestApp();
  const reasons: unknown[] = [];
  app.handle(add, ({ n }) => ({ n }));
  app.handle(twice, (_, { signal }) => {
    return new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        reject(signal.reason);
      }),
    );
  });
  app.handle(whole, async (start, ctx) => ctx.call(twice, await ctx.call(add, start)));
  await app.start();
  const task = await app.submit(whole, { n: 1 });
  await advance(1_000);
  await task.cancel();
  await advance(20_000);
  expect(reasons).toMatchObject([{ code: "CANCELLED" }]);
  expect(await task.status()).toMatchObject({ status: "CANCELLED", cancelRequested: true, outcome: "failure" });
  const { items } = await app.tasks.list({ parentId: task.id });
  expect(items.map(({ type, status }) => `${type} ${status}`).sort()).toEqual(["add COMPLETED", "twice CANCELLED"]);
  await expect(task.result()).rejects.toMatchObject({ status: "CANCELLED" });
  expect(await app.tasks.cancel(task.id)).toMatchObject({ status: "CANCELLED" });
  await app.stop();
});
