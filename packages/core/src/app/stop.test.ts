import { expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { memory } from "../memory/index.ts";
import { silentLogger } from "../ports/logger.ts";
import { createTestApp, MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";
import { createApp } from "./create-app.ts";

const task = defineTask("task", { input: z.object({}), retry: { maxAttempts: 1, backoff: fixed(0) } });
const command = defineCommand("command", { input: z.object({}), retry: { maxAttempts: 1, backoff: fixed(0) } });
const event = defineEvent("event", { data: z.object({}) });

/** Apps over one server, each with a connection of its own. */
function cluster() {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const app = (name: string) => {
    const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
    return { adapter, app: createApp({ name, namespace: "test", clock, logger: silentLogger, ports: adapter }) };
  };
  return { clock, server, app };
}

test("stop() while start() is under way: nothing begins afterwards, and what was opened is closed", async () => {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const options = { namespace: "test", clock, logger: silentLogger, url: "memory:" };
  const app = createApp({ ...options, name: "a", adapters: [memory({ server })] });
  let ran = 0;
  app.handle(task, () => {
    ran++;
  });
  const started = app.start().then(
    () => "started",
    (error: { code: string }) => error.code,
  );
  await app.stop();
  expect(await started).toBe("CLOSED");
  const sender = createApp({ ...options, name: "b", adapters: [memory({ server })] });
  const submitted = await sender.submit(task, {});
  await clock.advance(60_000);
  expect(ran).toBe(0);
  expect((await submitted.status()).status).toBe("QUEUED");
  await sender.stop();
});

test("stop() of an app that was never used opens nothing, and neither does what is asked of it later", async () => {
  let opened = 0;
  const adapters = [
    {
      ...memory(),
      create: (...context: Parameters<ReturnType<typeof memory>["create"]>) => {
        opened++;
        return memory().create(...context);
      },
    },
  ];
  const app = createApp({ name: "a", url: "memory:", adapters, logger: silentLogger });
  await app.stop();
  await expect(app.submit(task, {})).rejects.toMatchObject({ code: "CLOSED" });
  await expect(app.connect()).rejects.toMatchObject({ code: "CLOSED" });
  await expect(app.tasks.get("x")).rejects.toMatchObject({ code: "CLOSED" });
  expect(opened).toBe(0);
});

test("an app that was stopped while the broker was away takes nothing when it is back", async () => {
  const { clock, server, app } = cluster();
  const worker = app("worker");
  let ran = 0;
  worker.app.handle(task, () => {
    ran++;
  });
  worker.app.handle(command, () => {
    ran++;
  });
  const sender = app("sender");
  await sender.app.submit(task, {});
  await sender.app.send(command, {});
  server.stop();
  const started = worker.app.start().catch((error: unknown) => error);
  await clock.advance(1_000);
  const stopped = worker.app.stop({ timeoutMs: 1_000 });
  await clock.advance(10_000);
  expect(await stopped).toEqual({ unfinished: [] });
  server.start();
  await clock.advance(60_000);
  expect(ran).toBe(0);
  await started;
  await sender.app.stop();
});

test("stop() called in a handler names that handler, and the app closes when it has ended", async () => {
  const { app, clock, idle } = createTestApp();
  const unfinished: unknown[] = [];
  app.handle(command, async () => {
    const stopped = app.stop({ timeoutMs: 100 });
    unfinished.push(...(await stopped).unfinished);
  });
  await app.start();
  await app.send(command, {});
  await clock.advance(5_000);
  expect(unfinished).toMatchObject([{ type: "command" }]);
  expect((await app.health()).state).toBe("stopped");
  await idle();
});

test("stop() ends in its time while the store is away and an attempt cannot be settled", async () => {
  const { clock, server, app } = cluster();
  const worker = app("worker");
  const gate = Promise.withResolvers<void>();
  worker.app.handle(task, () => gate.promise);
  await worker.app.start();
  const submitted = await worker.app.submit(task, {}, { id: "t" });
  await clock.advance(100);
  server.stop();
  gate.resolve();
  const stopped = worker.app.stop({ timeoutMs: 2_000 });
  await clock.advance(10_000);
  expect((await stopped).unfinished).toEqual([{ id: "t", type: "task" }]);
  server.start();
  await clock.advance(10_000);
  const looker = app("looker");
  expect((await looker.app.tasks.get(submitted.id))?.status).toBe("COMPLETED");
  await looker.app.stop();
});

test("who waits for a result when the app is stopped is told so", async () => {
  const { app, clock } = createTestApp();
  const submitted = await app.submit(task, {});
  const waiting = submitted.result().catch((error: { code: string }) => error.code);
  await clock.advance(1_500);
  await app.stop();
  await clock.advance(1_500);
  expect(await Promise.race([waiting, "still waiting"])).toBe("CLOSED");
  expect(clock.nextTimerAt()).toBeUndefined();
});

test("who waits for a result when the adapter is closed is told so", async () => {
  const { clock, app } = cluster();
  const { app: sender, adapter } = app("sender");
  const submitted = await sender.submit(task, {});
  const waiting = submitted.result().catch((error: { code: string }) => error.code);
  await clock.advance(1_500);
  await adapter.close();
  await clock.advance(1_500);
  expect(await Promise.race([waiting, "still waiting"])).toBe("CLOSED");
  await sender.stop();
});

test("a handler of a command or event that stops for the shutdown is handed back, uncounted", async () => {
  const { clock, app } = cluster();
  const first = app("service");
  const stopsForIt = (_: unknown, ctx: { readonly signal: AbortSignal }) =>
    new Promise<void>((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
  first.app.handle(command, stopsForIt);
  first.app.on(event, { listener: "l", retry: { maxAttempts: 1 } }, stopsForIt);
  await first.app.start();
  await first.app.send(command, {});
  await first.app.publish(event, {});
  await clock.advance(100);
  const stopped = first.app.stop({ timeoutMs: 1_000 });
  await clock.advance(5_000);
  expect(await stopped).toEqual({ unfinished: [] });
  const attempts: number[] = [];
  const second = app("service");
  second.app.handle(command, (_, ctx) => void attempts.push(ctx.attempt));
  second.app.on(event, { listener: "l", retry: { maxAttempts: 1 } }, (_, ctx) => void attempts.push(ctx.attempt));
  await second.app.start();
  await clock.advance(60_000);
  expect(attempts).toEqual([1, 1]);
  await second.app.stop();
});

test("a workflow that takes the shutdown for a failed step is handed back all the same", async () => {
  const { clock, app } = cluster();
  const step = defineTask("step", { input: z.object({}), queue: "steps", output: z.string() });
  const flow = defineTask("flow", { input: z.object({}), output: z.string() });
  const handle = async (_: unknown, ctx: Parameters<Parameters<typeof first.app.handle<typeof flow>>[1]>[1]) => {
    try {
      return await ctx.call(step, {});
    } catch {
      return "without the step";
    }
  };
  const first = app("first");
  first.app.handle(flow, handle);
  await first.app.start();
  const submitted = await first.app.submit(flow, {}, { id: "f" });
  await clock.advance(100);
  const stopped = first.app.stop();
  await clock.advance(2_000);
  expect(await stopped).toEqual({ unfinished: [] });
  const second = app("second");
  second.app.handle(flow, handle);
  second.app.handle(step, () => "with the step");
  await second.app.start();
  await clock.advance(60_000);
  expect(await second.app.task(flow, submitted.id).result()).toBe("with the step");
  await second.app.stop();
});
