import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { MemoryAdapter } from "../memory/index.ts";
import { silentLogger } from "../ports/logger.ts";
import type { ScheduleDefinition, ScheduleStore } from "../ports/schedule-store.ts";
import { deployment, MINUTE_MS, minutely, report, taskCount } from "./deployment-fixture.ts";

test("one that was registered by a process that has ended is fired by others, each due time once", async () => {
  const { clock, make, stop } = deployment();
  const sender = make();
  await sender.app.schedules.register(report, minutely);
  await sender.app.stop();
  const workers = [make(), make(), make()];
  const sent: string[] = [];
  for (const { app, adapter } of workers) {
    const send = adapter.commandBus.send.bind(adapter.commandBus);
    adapter.commandBus.send = async (commands) => {
      sent.push(...commands.map(({ id }) => id));
      return send(commands);
    };
    await app.start();
  }
  await clock.advance(10 * MINUTE_MS + 1_000);
  const { app } = workers[0] as (typeof workers)[number];
  expect(await taskCount(app)).toBe(10);
  expect((await app.schedules.get("minutely"))?.state.fires).toBe(10);
  // Two that see it in the same moment may both send it; the second message is acknowledged unhandled.
  expect(sent.length).toBeLessThan(15);
  await stop();
});

test("a process that dies after it submitted, before it moved the schedule on, doubles nothing", async () => {
  const { clock, make, stop } = deployment();
  const never = Promise.withResolvers<never>();
  const dying = make(() => ({ put: () => never.promise }));
  await dying.app.start();
  const { app } = make();
  await app.schedules.register(report, minutely);
  await clock.advance(MINUTE_MS + 5_000);
  expect(await taskCount(app)).toBe(1);
  expect((await app.schedules.get("minutely"))?.state.fires).toBe(0);
  await app.start();
  await clock.advance(10_000);
  expect(await taskCount(app)).toBe(1);
  expect((await app.schedules.get("minutely"))?.state).toMatchObject({ fires: 1, nextAt: Date.UTC(2026, 0, 1, 0, 2) });
  never.reject(new Error("buried"));
  await stop();
});

test("one that was paused, stopped, changed or removed while it was being fired is left as it then was", async () => {
  for (const meanwhile of ["pause", "stop", "change", "retime", "unregister"] as const) {
    const { clock, make, stop } = deployment();
    const observer = make();
    const { app } = make((store) => ({
      async put(writes) {
        if (meanwhile === "unregister") await observer.app.schedules.unregister("minutely");
        else if (meanwhile === "change")
          await observer.app.schedules.register(report, { ...minutely, input: { of: "other" } });
        else if (meanwhile === "retime")
          await observer.app.schedules.register(report, { ...minutely, everyMs: 2 * MINUTE_MS });
        else await observer.app.schedules[meanwhile]("minutely");
        return store.put(writes);
      },
    }));
    await observer.app.schedules.register(report, minutely);
    await app.start();
    await clock.advance(MINUTE_MS + 1_000);
    expect(await taskCount(app), meanwhile).toBe(1);
    const found = await observer.app.schedules.get("minutely");
    const second = Date.UTC(2026, 0, 1, 0, 2);
    const expected = {
      pause: { status: "paused", fires: 1, nextAt: second },
      stop: { status: "stopped", fires: 1, nextAt: undefined },
      change: { status: "running", fires: 1, nextAt: second },
      retime: { status: "running", fires: 1 },
      unregister: undefined,
    }[meanwhile];
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found?.state, meanwhile).toMatchObject(expected);
    if (meanwhile === "change") expect(found?.definition.input).toEqual({ of: "other" });
    if (meanwhile === "retime") expect(found?.state.nextAt).toBeGreaterThan(second);
    await stop();
  }
});

test("the store's clock decides what is due, whatever the process's own says", async () => {
  const { make, clock, server, stop } = deployment();
  const { app, adapter } = make();
  const fast = { now: () => clock.now() + 30 * MINUTE_MS, schedule: clock.schedule.bind(clock) };
  const { commandBus, eventBus, taskStateStore, eventStream, scheduleStore } = new MemoryAdapter(server, {
    namespace: "test",
    clock: fast,
    logger: silentLogger,
  });
  const ports = { commandBus, eventBus, taskStateStore, eventStream, scheduleStore };
  const ahead = createApp({ name: "ahead", namespace: "test", clock: fast, logger: silentLogger, ports });
  ahead.schedule(report, minutely);
  await ahead.start();
  expect((await app.schedules.get("minutely"))?.state.nextAt).toBe(clock.now() + MINUTE_MS);
  await clock.advance(MINUTE_MS - 1);
  expect(await taskCount(app)).toBe(0);
  await clock.advance(1_001);
  expect(await taskCount(app)).toBe(1);
  await ahead.stop();
  await adapter.close();
  await stop();
});

test("a store that is away is told of once, and start() waits for it", async () => {
  const { clock, make, stop } = deployment();
  const told: string[] = [];
  const note = (message: string) => void told.push(message);
  const { app, adapter } = make(undefined, { ...silentLogger, warn: note, info: note });
  app.schedule(report, minutely);
  adapter.connection.cut();
  let started = false;
  const starting = app.start().then(() => {
    started = true;
  });
  await clock.advance(10_000);
  expect(started).toBe(false);
  adapter.connection.mend();
  await clock.advance(10_000);
  await starting;
  told.length = 0;
  adapter.connection.cut();
  await clock.advance(5 * MINUTE_MS);
  expect(told.filter((message) => message.startsWith("schedules"))).toHaveLength(1);
  adapter.connection.mend();
  await clock.advance(30_000);
  expect(told.filter((message) => message.startsWith("schedules"))).toHaveLength(2);
  expect(await taskCount(app)).toBe(1);
  await stop();
});

/** As an adapter keeps it: of an expression that nobody has looked at. */
function cronDefinition(cron: string): ScheduleDefinition {
  return {
    type: "report",
    taskVersion: "1.0",
    queue: "default",
    retentionMs: 1_000,
    input: { of: cron },
    timing: { cron, timezone: "UTC" },
    enabled: true,
    missed: "latest",
    overlap: "allow",
  };
}

test("a schedule that cannot be fired holds up no other", async () => {
  const { clock, make, stop } = deployment();
  const { app, adapter } = make();
  await adapter.scheduleStore.put(
    ["what nobody can read", "* * * * *"].map((cron, at) => ({
      name: cron,
      expected: undefined,
      schedule: {
        revision: `r${at}`,
        definition: cronDefinition(cron),
        state: "running",
        nextAt: clock.now() + at,
        fires: 0,
      },
    })),
  );
  await app.start();
  await clock.advance(2 * MINUTE_MS);
  expect((await app.schedules.get("* * * * *"))?.state.fires).toBeGreaterThanOrEqual(2);
  expect((await app.schedules.get("what nobody can read"))?.state.fires).toBe(0);
  await stop();
});

test("thousands that cannot be fired keep no worker busy, and those behind them are fired", async () => {
  const { clock, make, stop } = deployment();
  let looks = 0;
  const { app, adapter } = make((store) => ({
    due(options) {
      looks++;
      return store.due(options);
    },
  }));
  const definition = cronDefinition("what nobody can read");
  await adapter.scheduleStore.put(
    Array.from({ length: 2_150 }, (_, at) => ({
      name: `bad ${at}`,
      expected: undefined,
      schedule: { revision: `r${at}`, definition, state: "running", nextAt: clock.now(), fires: 0 },
    })),
  );
  app.schedule(report, minutely);
  await app.start();
  await clock.advance(MINUTE_MS + 10_000);
  expect((await app.schedules.get("minutely"))?.state.fires).toBe(1);
  // 22 pages, and a look each 5 seconds and for the one that falls due.
  expect(looks).toBeLessThan(22 * 25);
  await stop();
});

/** Puts that many in the way: due now, and first in each page. */
function standIn(store: ScheduleStore, count: number, nextAt: number) {
  return store.put(
    Array.from({ length: count }, (_, at) => ({
      name: `first ${at}`,
      expected: undefined,
      schedule: {
        revision: `r${at}`,
        definition: cronDefinition("0 0 1 1 *"),
        state: "running",
        nextAt: nextAt + at,
        fires: 0,
      },
    })),
  );
}

test("one for which a store is always away keeps no look from those on later pages, nor from being in time", async () => {
  const { clock, make, stop } = deployment();
  const told: string[] = [];
  const note = (message: string) => void told.push(message);
  const { app, adapter } = make(undefined, { ...silentLogger, warn: note, info: note });
  const { taskStateStore: tasks } = adapter;
  const create = tasks.create.bind(tasks);
  tasks.create = async (drafts) => {
    if (drafts.some(({ id }) => id.includes(":first 0:")))
      throw new IntermodalError("UNAVAILABLE", "away for this one");
    return create(drafts);
  };
  await standIn(adapter.scheduleStore, 230, clock.now() - MINUTE_MS);
  await app.schedules.register(report, { ...minutely, name: "often", everyMs: 1_000 });
  await app.start();
  await clock.advance(10_900);
  const { items } = await app.schedules.list({ limit: 1_000 });
  // Those of its own page are created in one batch with it, and a batch that met a store that is away has failed.
  expect(items.filter(({ state }) => state.fires === 0)).toHaveLength(100);
  expect(items.find(({ name }) => name === "often")?.state.fires).toBe(10);
  expect(told.filter((message) => message.startsWith("schedules"))).toHaveLength(1);
  tasks.create = create;
  await clock.advance(10_000);
  expect((await app.schedules.get("first 0"))?.state.fires).toBe(1);
  expect(told.filter((message) => message.startsWith("schedules"))).toHaveLength(2);
  await stop();
});

test("while a store is away for all, a look breaks off", async () => {
  const { clock, make, stop } = deployment();
  const { app, adapter } = make();
  let tries = 0;
  adapter.taskStateStore.create = () => {
    tries++;
    return Promise.reject(new IntermodalError("UNAVAILABLE", "away, says the test"));
  };
  let looks = 0;
  const due = adapter.scheduleStore.due.bind(adapter.scheduleStore);
  adapter.scheduleStore.due = (options) => {
    looks++;
    return due(options);
  };
  await standIn(adapter.scheduleStore, 1_950, clock.now() - MINUTE_MS);
  await app.start();
  await clock.advance(MINUTE_MS);
  expect(tries).toBeGreaterThan(10);
  // Three of twenty pages, each 5 seconds about.
  expect(looks).toBeLessThan(3 * 20);
  await stop();
});

test("two apps that give one name to schedules of different tasks are warned", async () => {
  const { make, stop } = deployment();
  const told: unknown[] = [];
  const logger = { ...silentLogger, warn: (_: string, fields?: object) => void told.push(fields) };
  const other = defineTask("other", { input: z.object({ of: z.string() }) });
  await make().app.schedules.register(report, minutely);
  const { app } = make(undefined, logger);
  await app.schedules.register(other, minutely);
  await app.schedules.register(other, { ...minutely, input: { of: "more" } });
  expect(told).toEqual([{ schedule: "minutely", task: "other", before: "report" }]);
  expect((await app.schedules.get("minutely"))?.definition).toMatchObject({ type: "other", input: { of: "more" } });
  await stop();
});

test("without a schedule store it says so: at the start, or when it is asked", async () => {
  const { clock, server } = deployment();
  const { commandBus, eventBus, taskStateStore } = new MemoryAdapter(server, {
    namespace: "test",
    clock,
    logger: silentLogger,
  });
  const app = createApp({ name: "a", clock, logger: silentLogger, ports: { commandBus, eventBus, taskStateStore } });
  await expect(app.schedules.list()).rejects.toMatchObject({ code: "PORT_MISSING" });
  app.schedule(report, minutely);
  await expect(app.start()).rejects.toMatchObject({ code: "PORT_MISSING" });
});
