import { expect, test } from "vitest";
import { z } from "zod";
import { createApp, defineTask, silentLogger } from "../index.ts";
import { MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";

const big = defineTask("big", { input: z.object({ what: z.string() }), output: z.string(), retry: { maxAttempts: 3 } });

/** An app over a store that takes 100,000 bytes and no more, unless told otherwise, and buses that take as much. */
async function start({ storeTakesBytes = 100_000 } = {}) {
  const clock = new VirtualClock();
  const adapter = (maxPayloadBytes: number) =>
    new MemoryAdapter(new MemoryServer(clock, { maxPayloadBytes }), { namespace: "t", clock, logger: silentLogger });
  const buses = adapter(100_000);
  const { commandBus, eventBus } = buses;
  const { taskStateStore, eventStream } = adapter(storeTakesBytes);
  const app = createApp({
    name: "t",
    clock,
    logger: silentLogger,
    ports: { commandBus, eventBus, taskStateStore, eventStream },
  });
  const runs: string[] = [];
  app.handle(big, async ({ what }, ctx) => {
    runs.push(what);
    const value = "x".repeat(200_000);
    if (what === "result") return value;
    if (what === "error") throw new Error(value);
    if (what === "child") await ctx.submit(big, { what: value });
    if (what === "progress") {
      ctx.progress(value);
      await new Promise<void>((resolve) => clock.schedule(60_000, resolve));
    }
    if (what === "late progress") ctx.progress(value);
    return "small";
  });
  await app.start();
  const run = async (what: string) => {
    const task = await app.submit(big, { what }, { id: what });
    await clock.advance(2_000_000);
    return task.status();
  };
  return { app, clock, buses, run, runs };
}

test("a result that the store refuses ends the task as FAILED, after one run", async () => {
  const { app, run, runs } = await start();
  expect(await run("result")).toMatchObject({ status: "FAILED", attempts: 1, error: { code: "PAYLOAD_TOO_LARGE" } });
  expect(runs).toEqual(["result"]);
  await app.stop();
});

test("a sub-task that the store refuses fails its parent, which closes", async () => {
  const { app, run } = await start();
  expect(await run("child")).toMatchObject({
    status: "FAILED",
    error: { code: "PAYLOAD_TOO_LARGE" },
    children: { open: 0 },
  });
  await app.stop();
});

test("an error with a huge message is retried as any other, its message cut", async () => {
  const { app, run, runs } = await start();
  const dead = await run("error");
  expect(dead).toMatchObject({ status: "DEAD_LETTER", attempts: 3 });
  expect(dead.error?.message.length).toBeLessThanOrEqual(10_000);
  expect(runs).toEqual(["error", "error", "error"]);
  await app.stop();
});

test.each(["progress", "late progress"])(
  "%s that the store refuses costs neither the lease nor the task",
  async (what) => {
    const { app, run, runs } = await start();
    expect(await run(what)).toMatchObject({ status: "COMPLETED", attempts: 1, progress: undefined });
    expect(runs).toEqual([what]);
    await app.stop();
  },
);

test("a deferred task that the bus will never take ends as FAILED, and its neighbours are sent", async () => {
  const { app, clock, buses, runs } = await start({ storeTakesBytes: 1_000_000 });
  const failed: string[] = [];
  app.lifecycle.on("failed", ({ taskId }) => failed.push(taskId));
  buses.connection.cut();
  const large = await app.submit(big, { what: "x".repeat(200_000) }, { id: "large", defer: true });
  const small = await app.submit(big, { what: "small" }, { id: "small", defer: true });
  buses.connection.mend();
  await clock.advance(300_000);
  expect(await large.status()).toMatchObject({ status: "FAILED", attempts: 0, error: { code: "PAYLOAD_TOO_LARGE" } });
  expect(await small.status()).toMatchObject({ status: "COMPLETED", attempts: 1 });
  expect(runs).toEqual(["small"]);
  expect(failed).toEqual(["large"]);
  await app.stop();
});
