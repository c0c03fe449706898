import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineCommand, defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { createTestApp, MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";

const flow = defineTask("flow", {
  input: z.object({}),
  output: z.string(),
  retry: { maxAttempts: 2, backoff: fixed(0) },
});
const step = defineTask("step", { input: z.object({ n: z.number() }), output: z.string() });
const other = defineTask("other", { input: z.object({ n: z.number() }), output: z.string() });
const noted = defineEvent("noted", { data: z.object({}) });
const noteIt = defineCommand("note-it", { input: z.object({}) });

test("steps of any depth and with the longest keys are steps like any other", async () => {
  const { app, advance, published } = createTestApp();
  const nest = defineTask("nest", { input: z.object({ depth: z.number() }), output: z.number() });
  app.handle(nest, async ({ depth }, ctx) => {
    await ctx.publish(noted, {});
    await ctx.send(noteIt, {});
    if (depth === 0) return 0;
    return 1 + (await ctx.call(nest, { depth: depth - 1 }, { key: `${"k".repeat(250)}${depth}` }));
  });
  app.handle(noteIt, async (_, ctx) => {
    await ctx.publish(noted, {});
  });
  await app.start();
  const task = await app.submit(nest, { depth: 4 }, { id: "i".repeat(256) });
  await advance(10_000);
  expect(await task.result()).toBe(4);
  expect(published(noted)).toHaveLength(10);
  await app.stop();
});

test("a step whose input was refused may be tried again under its key", async () => {
  const { app, advance } = createTestApp();
  app.handle(step, ({ n }) => `step ${n}`);
  app.handle(flow, async (_, ctx) => {
    await expect(ctx.call(step, { n: "one" as never })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    return ctx.call(step, { n: 1 });
  });
  await app.start();
  const task = await app.submit(flow, {});
  await advance(10_000);
  expect(await task.result()).toBe("step 1");
  await app.stop();
});

test("a step that the bus does not take for now, as after a permission was taken, is sent when it does", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  let refusals = 0;
  const commandBus = withMethods(adapter.commandBus, {
    async send(commands) {
      const isRefused = commands.some(({ type }) => type === step.name) && refusals++ === 0;
      if (isRefused) throw new IntermodalError("CONFIG_INVALID", "ACCESS_REFUSED");
      return adapter.commandBus.send(commands);
    },
  });
  const app = createApp({ name: "test", clock, logger: silentLogger, ports: { ...adapter, commandBus } });
  app.handle(step, ({ n }) => `step ${n}`);
  app.handle(flow, (_, ctx) => ctx.call(step, { n: 1 }));
  await app.start();
  const task = await app.submit(flow, {});
  await clock.advance(120_000);
  expect([refusals, await task.result()]).toEqual([2, "step 1"]);
  await app.stop();
});

test("a later attempt that means another task by a key is told so, and gets no other task's result", async () => {
  const { app, advance } = createTestApp();
  app.handle(step, ({ n }) => `step ${n}`);
  app.handle(other, ({ n }) => `other ${n}`);
  app.handle(flow, async (_, ctx) => {
    if (ctx.attempt > 1 || done) return ctx.call(other, { n: 1 }, { key: "k" });
    await ctx.call(step, { n: 1 }, { key: "k" });
    done = true;
    throw new Error("once more");
  });
  let done = false;
  await app.start();
  const task = await app.submit(flow, {});
  await advance(10_000);
  expect(await task.status()).toMatchObject({ status: "FAILED", error: { code: "CONFLICT" } });
  await app.stop();
});

test("what a handler does to its input is seen by no later attempt", async () => {
  const { app, advance } = createTestApp();
  const given: unknown[] = [];
  const careless = defineTask("careless", {
    input: z.custom<{ list: number[] }>(() => true),
    retry: { maxAttempts: 3, backoff: fixed(100) },
  });
  app.handle(careless, (input) => {
    given.push(structuredClone(input));
    input.list.push(1);
    throw new Error("again");
  });
  await app.start();
  await app.submit(careless, { list: [] });
  await advance(5_000);
  expect(given).toEqual([{ list: [] }, { list: [] }, { list: [] }]);
  await app.stop();
});

test("an app that only submits publishes its bridged notifications", async () => {
  const { app, advance, published } = createTestApp();
  app.bridge({ notifications: ["submitted"] });
  await app.submit(flow, {}, { id: "f" });
  await advance(100);
  expect(published(defineEvent("task.submitted"))).toMatchObject([{ taskId: "f" }]);
  await app.stop();
});

test("a submit that the app's end overtook is not known to have been taken back", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const commandBus = withMethods(adapter.commandBus, {
    async send(commands) {
      await adapter.close();
      return adapter.commandBus.send(commands);
    },
  });
  const { eventBus, taskStateStore } = adapter;
  const ports = { commandBus, eventBus, taskStateStore };
  const app = createApp({ name: "a", namespace: "test", clock, logger: silentLogger, ports });
  await expect(app.submit(flow, {})).rejects.toMatchObject({ code: "CLOSED", unknown: true });
  await app.stop();
});

test("a listener's concurrency that cannot be is refused", () => {
  const { app } = createTestApp();
  expect(() => app.on(noted, { listener: "l", concurrency: 0 }, () => {})).toThrow("positive whole number");
});
