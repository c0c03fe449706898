import { expect, test } from "vitest";
import { z } from "zod";
import type { App } from "../app/app.ts";
import { defineTask, fixed } from "../contracts/index.ts";
import { defineSchedule } from "../index.ts";
import { createTestApp } from "../testing/index.ts";

const report = defineTask("report", {
  input: z.object({ of: z.string() }),
  retry: { maxAttempts: 2, backoff: fixed(0) },
});
const HOUR_MS = 3_600_000;
/** Hourly, in the virtual clock's year. */
const hourly = { name: "hourly", cron: "0 * * * *", input: { of: "all" } } as const;

/** The due times of all tasks there are, in order. */
async function dueTimes(app: App): Promise<readonly string[]> {
  const { items } = await app.tasks.list({ limit: 1_000 });
  return items.map(({ id }) => id.slice(id.indexOf("2026-"))).sort();
}

const at = (time: string) => `2026-01-01T${time}.000Z`;

test("a declared schedule is registered with the start, and fires each due time once", async () => {
  const { app, advance, idle, sent } = createTestApp();
  const done: string[] = [];
  app.handle(report, ({ of }, ctx) => {
    done.push(`${of} ${ctx.id}`);
  });
  const handle = app.schedule(report, { ...hourly, userId: "u" });
  expect(sent(report)).toEqual([]);
  await app.start();
  expect((await handle.get())?.state).toMatchObject({
    status: "running",
    nextAt: Date.parse(at("01:00:00")),
    fires: 0,
  });
  await advance(2.5 * HOUR_MS);
  await idle();
  expect(done).toEqual([`all schedule:test:hourly:${at("01:00:00")}`, `all schedule:test:hourly:${at("02:00:00")}`]);
  const { definition, state } = (await app.schedules.get("hourly")) as NonNullable<
    Awaited<ReturnType<typeof handle.get>>
  >;
  expect(definition).toEqual({
    type: "report",
    taskVersion: "1.0",
    queue: "default",
    retentionMs: report.retentionMs,
    input: { of: "all" },
    userId: "u",
    timing: { cron: "0 * * * *", timezone: "UTC" },
    enabled: true,
    missed: "latest",
    overlap: "allow",
  });
  expect(state).toMatchObject({
    status: "running",
    fires: 2,
    lastDueAt: Date.parse(at("02:00:00")),
    nextAt: Date.parse(at("03:00:00")),
    lastTaskId: `schedule:test:hourly:${at("02:00:00")}`,
  });
  expect(state.lastFiredAt).toBeLessThan(Date.parse(at("02:00:01")));
  expect((await app.tasks.list({ userId: "u" })).items).toHaveLength(2);
  await app.stop();
});

test("registered at run time, listed, and unregistered", async () => {
  const { app, advance } = createTestApp();
  await app.start();
  const minutely = await app.schedules.register(report, { name: "b", everyMs: 60_000, input: { of: "b" } });
  await app.schedules.register(report, { ...hourly, name: "a", enabled: false });
  const { items, next } = await app.schedules.list();
  expect(items.map(({ name, state }) => [name, state.status, state.nextAt === undefined])).toEqual([
    ["a", "running", true],
    ["b", "running", false],
  ]);
  expect(next).toBeUndefined();
  await advance(150_000);
  expect(await dueTimes(app)).toEqual([at("00:01:00"), at("00:02:00")]);
  await minutely.unregister();
  await minutely.unregister();
  expect(await minutely.get()).toBeUndefined();
  await advance(HOUR_MS);
  expect(await dueTimes(app)).toHaveLength(2);
  await app.stop();
});

test("paused, it keeps its due time; resumed, it makes up for the latest it has missed", async () => {
  const { app, advance } = createTestApp();
  const handle = app.schedule(report, hourly);
  await app.start();
  expect((await handle.pause()).state).toMatchObject({ status: "paused", nextAt: Date.parse(at("01:00:00")) });
  await advance(3.5 * HOUR_MS);
  expect(await dueTimes(app)).toEqual([]);
  expect((await handle.resume()).state.status).toBe("running");
  await advance(1_000);
  expect(await dueTimes(app)).toEqual([at("03:00:00")]);
  await advance(HOUR_MS);
  expect(await dueTimes(app)).toEqual([at("03:00:00"), at("04:00:00")]);
  await app.stop();
});

test("with missed: skip, what is more than the grace late is passed over", async () => {
  const { app, advance } = createTestApp({ schedules: { graceMs: 120_000 } });
  const handle = app.schedule(report, { ...hourly, missed: "skip" });
  await app.start();
  await handle.pause();
  await advance(1.5 * HOUR_MS);
  await handle.resume();
  await advance(0.4 * HOUR_MS);
  expect(await dueTimes(app)).toEqual([]);
  await handle.pause();
  await advance(0.1 * HOUR_MS + 100_000);
  await handle.resume();
  await advance(1_000);
  expect(await dueTimes(app)).toEqual([at("02:00:00")]);
  await app.stop();
});

test("stopped, it forgets what is due; started, it counts from then", async () => {
  const { app, advance } = createTestApp();
  const handle = app.schedule(report, { name: "often", everyMs: 60_000, input: { of: "it" } });
  await app.start();
  expect((await handle.stop()).state).toMatchObject({ status: "stopped", nextAt: undefined });
  expect((await handle.resume()).state.status).toBe("stopped");
  await advance(90_000);
  await handle.start();
  await advance(61_000);
  expect(await dueTimes(app)).toEqual([at("00:02:30")]);
  expect((await handle.start()).state.fires).toBe(1);
  await app.stop();
});

test("once, at a time: also one that has passed; then it has ended", async () => {
  const { app, advance, clock } = createTestApp();
  const later = { name: "later", at: new Date(clock.now() + 1_500), input: { of: "later" } };
  app.schedule(report, later);
  app.schedule(report, { name: "past", at: clock.now() - 1_500, input: { of: "past" } });
  app.schedule(report, { name: "over", at: clock.now() - HOUR_MS, input: { of: "over" }, missed: "skip" });
  await app.start();
  await advance(3_000);
  expect((await app.tasks.list()).items.map(({ parameters }) => parameters)).toEqual([{ of: "later" }, { of: "past" }]);
  for (const { state } of (await app.schedules.list()).items) expect(state.status).toBe("ended");
  await app.schedules.register(report, later);
  await advance(HOUR_MS);
  expect((await app.tasks.list()).items).toHaveLength(2);
  await app.stop();
});

test("with overlap: skip, a due time is passed over while the task before has not ended", async () => {
  const { app, advance } = createTestApp();
  const gate = Promise.withResolvers<void>();
  app.handle(report, () => gate.promise);
  app.schedule(report, { name: "often", everyMs: 60_000, input: { of: "it" }, overlap: "skip" });
  await app.start();
  await advance(200_000);
  expect(await dueTimes(app)).toEqual([at("00:01:00")]);
  gate.resolve();
  await advance(60_000);
  expect(await dueTimes(app)).toEqual([at("00:01:00"), at("00:04:00")]);
  await app.stop();
});

test("a changed definition takes effect, and keeps the state and, with the same timing, the due time", async () => {
  const { app, advance, sent } = createTestApp();
  await app.start();
  const handle = await app.schedules.register(report, hourly);
  await advance(HOUR_MS * 0.5);
  await app.schedules.register(report, { ...hourly, input: { of: "more" } });
  await advance(HOUR_MS);
  expect(sent(report)).toEqual([{ of: "more" }]);
  await handle.pause();
  await app.schedules.register(report, { ...hourly, cron: "30 * * * *" });
  expect((await handle.get())?.state).toMatchObject({ status: "paused", fires: 1, nextAt: Date.parse(at("02:30:00")) });
  await app.schedules.register(report, { ...hourly, enabled: false });
  expect((await handle.get())?.state).toMatchObject({ status: "paused", nextAt: undefined });
  await handle.resume();
  await app.schedules.register(report, hourly);
  expect((await handle.get())?.state).toMatchObject({ status: "running", nextAt: Date.parse(at("02:00:00")) });
  await app.stop();
});

test("the task store away costs lateness; the bus away not even that", async () => {
  const { app, advance, failNext, idle } = createTestApp();
  let done = 0;
  app.handle(report, () => {
    done++;
  });
  app.schedule(report, hourly);
  await app.start();
  await advance(HOUR_MS - 1_000);
  failNext("taskStateStore", 3);
  await advance(60_000);
  await idle();
  expect(done).toBe(1);
  failNext("commandBus", 2);
  await advance(HOUR_MS + 120_000);
  await idle();
  expect(done).toBe(2);
  expect(await dueTimes(app)).toEqual([at("01:00:00"), at("02:00:00")]);
  await app.stop();
});

test("what cannot be right is refused where it is declared", async () => {
  const { app } = createTestApp();
  const input = { of: "it" };
  const bad: readonly (readonly [unknown, string])[] = [
    [{ name: "", everyMs: 1_000, input }, "INVALID_NAME"],
    [{ name: "s", input }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1_000, at: 5, input }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1_000, timezone: "UTC", input }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1, input }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1_000, input, missed: "all" }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1_000, input, overlap: "never" }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1_000, input, enabled: "no" }, "CONFIG_INVALID"],
    [{ name: "s", everyMs: 1_000, input: { of: 5 } }, "VALIDATION_FAILED"],
    [{ name: "s", everyMs: 1_000, input, userId: "" }, "INVALID_NAME"],
  ];
  for (const [options, code] of bad) {
    expect(() => app.schedule(report, options as never), JSON.stringify(options)).toThrow(
      expect.objectContaining({ code }),
    );
    await expect(app.schedules.register(report, options as never)).rejects.toMatchObject({ code });
  }
  app.schedule(report, hourly);
  expect(() => app.schedule(report, hourly)).toThrow(expect.objectContaining({ code: "ALREADY_REGISTERED" }));
  await app.start();
  expect(() => app.schedule(report, { ...hourly, name: "late" })).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID" }),
  );
  await expect(app.schedules.pause("none")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await app.stop();
});

test("an asynchronous validator is asked before anything is registered", async () => {
  const { app } = createTestApp();
  const slow = defineTask("slow", { input: z.object({ of: z.string().refine(async (of) => of === "good") }) });
  await expect(app.schedules.register(slow, { ...hourly, input: { of: "bad" } })).rejects.toMatchObject({
    code: "VALIDATION_FAILED",
  });
  expect(await app.schedules.get("hourly")).toBeUndefined();
  app.schedule(slow, { ...hourly, input: { of: "bad" } });
  await expect(app.start()).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
});

test("a schedule can be exported by a module and registered with the others", async () => {
  const { app } = createTestApp();
  app.register(defineSchedule(report, hourly));
  await app.start();
  expect(await app.schedules.get("hourly")).toBeDefined();
  await app.stop();
});

test("moved to a time before one that was fired already, it is fired then, and that is noted", async () => {
  const { app, advance, clock } = createTestApp();
  await app.start();
  const handle = await app.schedules.register(report, { name: "s", everyMs: 60_000, input: { of: "it" } });
  await advance(61_000);
  const earlier = clock.now() - 30_000;
  const definition = { name: "s", at: earlier, input: { of: "it" } };
  await app.schedules.register(report, definition);
  await advance(10_000);
  expect(await dueTimes(app)).toEqual([at("00:00:31"), at("00:01:00")]);
  expect((await handle.get())?.state).toMatchObject({
    status: "ended",
    fires: 2,
    lastDueAt: earlier,
    lastTaskId: `schedule:test:s:${at("00:00:31")}`,
  });
  await app.schedules.register(report, { ...definition, input: { of: "more" } });
  await advance(10_000);
  expect((await handle.get())?.state.fires).toBe(2);
  await app.stop();
});
