import { expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask, fixed } from "../contracts/index.ts";
import type { Logger } from "../ports/logger.ts";
import { createTestApp } from "../testing/index.ts";
import { type LogContext, logContext } from "../worker/scope.ts";

const step = defineTask("step", { input: z.object({}), retry: { backoff: fixed(1_000) } });
const whole = defineTask("whole", { input: z.object({}) });
const told = defineEvent("told");
const order = defineCommand("order", { input: z.object({}) });

/** What a host's own logger would find, wherever it is called from. */
type Line = Partial<LogContext> & { readonly where: string };

test("inside a handler the log context has task, run, attempt and trace; one trace goes through the whole run (C11)", async () => {
  const lines: Line[] = [];
  const note = async (where: string) => {
    await Promise.resolve();
    lines.push({ where, ...logContext() });
  };
  const { app, advance } = createTestApp();
  app.handle(whole, async (_, ctx) => {
    await note("before");
    await ctx.call(step, {});
    await note("after");
    await ctx.publish(told, {});
    await ctx.send(order, {});
  });
  app.handle(step, async (_, ctx) => {
    await note("step");
    if (ctx.attempt === 1) throw new Error("again");
  });
  app.on(told, { listener: "l" }, () => note("listener"));
  app.handle(order, () => note("command"));
  await app.start();
  expect(logContext()).toEqual({});
  const task = await app.submit(whole, {}, { id: "w" });
  await advance(5_000);
  expect((await task.status()).status).toBe("COMPLETED");
  const of = (where: string) => lines.filter((line) => line.where === where);
  expect(of("before")).toMatchObject([{ task: "w", run: "w", attempt: 1 }]);
  expect(of("after")).toMatchObject([{ task: "w", run: "w", attempt: 1 }]);
  expect(of("step")).toMatchObject([
    { task: "w/step", run: "w", attempt: 1 },
    { task: "w/step", run: "w", attempt: 2 },
  ]);
  expect(of("listener")).toMatchObject([{ attempt: 1 }]);
  expect(of("command")).toMatchObject([{ attempt: 1 }]);
  const traces = lines.map(({ trace }) => trace?.split("-")[1]);
  expect(traces[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(traces).size).toBe(1);
  expect(logContext()).toEqual({});
  await app.stop();
});

test("ctx.log writes to the app's logger with the context", async () => {
  const lines: unknown[] = [];
  const logger: Logger = {
    debug() {},
    info: (message, fields) => lines.push(["info", message, fields]),
    warn() {},
    error: (message, fields) => lines.push(["error", message, fields]),
  };
  const { app, idle } = createTestApp({ logger });
  app.handle(whole, (_, { log }) => {
    log.info("began", { page: 1 });
    log.error("failed");
  });
  await app.start();
  await app.submit(whole, {}, { id: "w" });
  await idle();
  const context = { task: "w", run: "w", attempt: 1, trace: expect.stringMatching(/^00-/) };
  expect(lines).toEqual([
    ["info", "began", { ...context, page: 1 }],
    ["error", "failed", context],
  ]);
  await app.stop();
});
