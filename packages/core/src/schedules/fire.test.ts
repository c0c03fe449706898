import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import { type ErrorCode, IntermodalError } from "../errors.ts";
import { sleep } from "../ports/clock.ts";
import type { CommandBus } from "../ports/command-bus.ts";
import { silentLogger } from "../ports/logger.ts";
import type { VirtualClock } from "../testing/index.ts";
import { deployment, MINUTE_MS, minutely, report, taskCount } from "./deployment-fixture.ts";

const idAt = (time: string, name = "minutely") => `schedule:test:${name}:2026-01-01T${time}.000Z`;

/** Makes every send end as `refuse` does. @returns how many messages were refused so far, and what mends it. */
function refuseSends(bus: CommandBus, refuse: () => Promise<void>) {
  const send = bus.send.bind(bus);
  const refused = {
    count: 0,
    mend: () => {
      bus.send = send;
    },
  };
  bus.send = async (commands) => {
    refused.count += commands.length;
    await refuse();
  };
  return refused;
}

function refusal(code: ErrorCode): () => Promise<void> {
  return () => Promise.reject(new IntermodalError(code, "refused by the test"));
}

/** A bus that is away: each send is given up only after ten seconds. */
function away(clock: VirtualClock): () => Promise<void> {
  return async () => {
    await sleep(clock, 10_000);
    throw new IntermodalError("UNAVAILABLE", "away, says the test");
  };
}

test.each(["CONFIG_INVALID", "UNROUTABLE", "NOT_SUPPORTED"] as const)(
  "a due time that falls while the bus refuses with %s is sent when it does so no more",
  async (code) => {
    const { clock, make, stop } = deployment();
    const { app, adapter } = make();
    const ran: string[] = [];
    app.handle(report, (_, { id }) => void ran.push(id));
    app.schedule(report, minutely);
    await app.start();
    const bus = refuseSends(adapter.commandBus, refusal(code));
    await clock.advance(2 * MINUTE_MS + 5_000);
    expect(bus.count).toBeGreaterThanOrEqual(2);
    expect((await app.schedules.get("minutely"))?.state).toMatchObject({ fires: 2, lastTaskId: idAt("00:02:00") });
    bus.mend();
    await clock.advance(50_000);
    expect(ran.sort()).toEqual([idAt("00:01:00"), idAt("00:02:00")]);
    await stop();
  },
);

test("what the bus can never take is withdrawn, told, and not sent again; the next due time is tried", async () => {
  const { clock, make, stop } = deployment();
  const told: unknown[] = [];
  const { app, adapter } = make(undefined, {
    ...silentLogger,
    error: (_, fields) => void told.push(fields),
  });
  app.schedule(report, minutely);
  await app.start();
  const bus = refuseSends(adapter.commandBus, refusal("PAYLOAD_TOO_LARGE"));
  await clock.advance(2 * MINUTE_MS - 1_000);
  expect(bus.count).toBe(1);
  expect(told).toEqual([{ task: idAt("00:01:00"), error: "refused by the test" }]);
  const { items } = await app.tasks.list();
  expect(items.map(({ id, status }) => [id, status])).toEqual([[idAt("00:01:00"), "CANCELLED"]]);
  await clock.advance(2_000);
  expect(bus.count).toBe(2);
  await stop();
});

test("what the store can never take is passed over", async () => {
  const { clock, make, stop } = deployment();
  const { app, adapter } = make();
  app.schedule(report, minutely);
  await app.start();
  const { taskStateStore } = adapter;
  const create = taskStateStore.create.bind(taskStateStore);
  taskStateStore.create = () => Promise.reject(new IntermodalError("NOT_SERIALIZABLE", "refused by the test"));
  await clock.advance(MINUTE_MS + 1_000);
  expect((await app.schedules.get("minutely"))?.state).toMatchObject({
    fires: 0,
    nextAt: Date.UTC(2026, 0, 1, 0, 2),
  });
  // Whereas what somebody can mend is waited for.
  taskStateStore.create = () => Promise.reject(new IntermodalError("CONFIG_INVALID", "refused by the test"));
  await clock.advance(MINUTE_MS);
  taskStateStore.create = create;
  await clock.advance(10_000);
  expect((await app.schedules.get("minutely"))?.state).toMatchObject({ fires: 1, lastTaskId: idAt("00:02:00") });
  await stop();
});

test("while the bus is away each due time is kept, however short the intervals, and sent when it is back", async () => {
  const { clock, make, stop } = deployment();
  const { app, adapter } = make();
  const ran = new Set<string>();
  app.handle(report, (_, { id }) => void ran.add(id));
  app.schedule(report, { ...minutely, name: "often", everyMs: 2_000 });
  await app.start();
  const bus = refuseSends(adapter.commandBus, away(clock));
  await clock.advance(MINUTE_MS + 1_000);
  expect(await taskCount(app)).toBe(30);
  bus.mend();
  await app.schedules.pause("often");
  await clock.advance(2 * MINUTE_MS);
  expect(ran.size).toBe(30);
  await stop();
});

test("a send that is stuck delays no other schedule, and those that skip overlaps see the task that waits for it", async () => {
  const { clock, make, stop } = deployment();
  const { app, adapter } = make();
  app.schedule(report, { ...minutely, name: "alone", everyMs: 5_000, overlap: "skip" });
  app.schedule(report, minutely);
  await app.start();
  const never = Promise.withResolvers<void>();
  refuseSends(adapter.commandBus, () => never.promise);
  await clock.advance(2 * MINUTE_MS + 1_000);
  const { items } = await app.tasks.list();
  expect(items.map(({ id }) => id).sort()).toEqual([idAt("00:00:05", "alone"), idAt("00:01:00"), idAt("00:02:00")]);
  never.resolve();
  await stop();
});

test("stop() waits for what is on its way to the bus", async () => {
  const { clock, make } = deployment();
  const { app, adapter } = make();
  app.schedule(report, minutely);
  await app.start();
  const gate = Promise.withResolvers<void>();
  refuseSends(adapter.commandBus, () => gate.promise);
  await clock.advance(MINUTE_MS + 1_000);
  let stopped = false;
  const stopping = app.stop({ timeoutMs: 5_000 }).then(() => {
    stopped = true;
  });
  await clock.advance(1_000);
  expect(stopped).toBe(false);
  gate.resolve();
  await clock.advance(1_000);
  expect(stopped).toBe(true);
  await stopping;
});

test("a process that dies after it moved the schedule on, before it sent, leaves a task that the sweep sends", async () => {
  const { clock, make } = deployment();
  const dying = make();
  await dying.app.schedules.register(report, minutely);
  await dying.app.start();
  refuseSends(dying.adapter.commandBus, async () => dying.adapter.connection.kill());
  await clock.advance(MINUTE_MS + 1_000);
  const { app } = make();
  const ran: string[] = [];
  app.handle(report, (_, { id }) => void ran.push(id));
  expect((await app.schedules.get("minutely"))?.state.fires).toBe(1);
  await app.start();
  await clock.advance(45_000);
  expect(ran).toEqual([idAt("00:01:00")]);
  await app.stop();
});

test("a store that is away when the schedule is to be moved on does not keep the task from being sent", async () => {
  const { clock, make, stop } = deployment();
  const { app } = make(() => ({ put: () => Promise.reject(new IntermodalError("UNAVAILABLE", "away")) }));
  await make().app.schedules.register(report, minutely);
  let ran = 0;
  app.handle(report, () => void ran++);
  await app.start();
  await clock.advance(MINUTE_MS + 1_000);
  expect(ran).toBe(1);
  await stop();
});

test("a withdrawn task that has the id does not count as fired: it is brought back", async () => {
  const { clock, make, stop } = deployment();
  const { app, adapter } = make();
  const ran: string[] = [];
  app.handle(report, (_, { id }) => void ran.push(id));
  const bus = refuseSends(adapter.commandBus, refusal("CONFIG_INVALID"));
  const submitted = app.submit(report, minutely.input, { id: idAt("00:01:00") });
  await expect(submitted).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  bus.mend();
  app.schedule(report, minutely);
  await app.start();
  await clock.advance(MINUTE_MS + 1_000);
  expect(ran).toEqual([idAt("00:01:00")]);
  await stop();
});

test("who comes late to a due time finds its task, however short those of its contract are kept", async () => {
  const { clock, make, stop } = deployment();
  const brief = defineTask("brief", { input: z.object({ of: z.string() }), retentionMs: 1 });
  const gate = Promise.withResolvers<void>();
  const late = make((store) => ({
    async due(options) {
      const page = await store.due(options);
      if (page.items.length > 0) await gate.promise;
      return page;
    },
  }));
  const { app } = make();
  let ran = 0;
  for (const each of [late.app, app]) {
    each.handle(brief, () => void ran++);
    each.schedule(brief, { ...minutely, at: clock.now() + MINUTE_MS, everyMs: undefined });
    await each.start();
  }
  // Both see that it is due; one of them then comes to nothing for half an hour.
  await clock.advance(30 * MINUTE_MS);
  expect(ran).toBe(1);
  gate.resolve();
  await clock.advance(MINUTE_MS);
  expect(ran).toBe(1);
  await stop();
});

test("those that skip overlaps see a task whose maker could not note it", async () => {
  const { clock, make, stop } = deployment();
  let away = false;
  const { app } = make((store) => ({
    put: async (writes) => {
      if (away) throw new IntermodalError("UNAVAILABLE", "away, says the test");
      return store.put(writes);
    },
  }));
  const ran: string[] = [];
  app.handle(report, async (_, { id }) => {
    ran.push(id);
    if (ran.length === 1) await sleep(clock, 4.5 * MINUTE_MS);
  });
  app.schedule(report, { ...minutely, overlap: "skip" });
  await app.start();
  away = true;
  await clock.advance(2.5 * MINUTE_MS);
  away = false;
  await clock.advance(2.4 * MINUTE_MS);
  expect(ran).toEqual([idAt("00:01:00")]);
  expect((await app.schedules.get("minutely"))?.state).toMatchObject({ fires: 1, lastTaskId: idAt("00:01:00") });
  await clock.advance(1.2 * MINUTE_MS);
  expect(ran).toEqual([idAt("00:01:00"), idAt("00:06:00")]);
  await stop();
});

test("those that skip overlaps see a task whose maker came late, and died before it could note it", async () => {
  const { clock, make } = deployment();
  const first = make();
  await first.app.schedules.register(report, { ...minutely, overlap: "skip" });
  // Nobody is there at the first due time, nor at the second.
  await clock.advance(2.5 * MINUTE_MS);
  const dying = make((store) => ({
    put: async (writes) => {
      if (writes.some(({ schedule }) => schedule.lastTaskId !== undefined)) dying.adapter.connection.kill();
      return store.put(writes);
    },
  }));
  await dying.app.start();
  await clock.advance(2_000);
  expect(await taskCount(first.app)).toBe(1);
  expect((await first.app.schedules.get("minutely"))?.state.fires).toBe(0);
  const ran: string[] = [];
  first.app.handle(report, async (_, { id }) => {
    ran.push(id);
    if (ran.length === 1) await sleep(clock, 3.2 * MINUTE_MS);
  });
  await clock.advance(0.7 * MINUTE_MS);
  await first.app.start();
  await clock.advance(2.5 * MINUTE_MS);
  expect(ran).toEqual([idAt("00:02:00")]);
  expect((await first.app.schedules.get("minutely"))?.state).toMatchObject({
    fires: 1,
    lastDueAt: Date.UTC(2026, 0, 1, 0, 2),
    lastTaskId: idAt("00:02:00"),
  });
  await clock.advance(2 * MINUTE_MS);
  expect(ran).toHaveLength(2);
  await first.app.stop();
});

test("of those that skip overlaps, a due time is left to another process that has dealt with a later one meanwhile", async () => {
  const { clock, make, stop } = deployment();
  const { app } = make();
  await app.schedules.register(report, { ...minutely, overlap: "skip" });
  await clock.advance(2.5 * MINUTE_MS);
  const gate = Promise.withResolvers<void>();
  let writes = 0;
  const late = make((store) => ({
    put: async (schedules) => {
      if (writes++ === 0) await gate.promise;
      return store.put(schedules);
    },
  }));
  await late.app.start();
  await clock.advance(1_000);
  expect(writes).toBe(1);
  await clock.advance(0.6 * MINUTE_MS);
  await app.start();
  await clock.advance(1_000);
  gate.resolve();
  await clock.advance(1_000);
  const { items } = await app.tasks.list();
  expect(items.map(({ id }) => id)).toEqual([idAt("00:03:00")]);
  await stop();
});
