import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";

const root = defineTask("root", { input: z.object({}) });
const child = defineTask("child", { input: z.object({}), queue: "children" });

function away(): never {
  throw new IntermodalError("UNAVAILABLE", "the stream store is away");
}

/** Apps over one server; `streams.away` makes every call of the stream store fail after `slowMs`. */
function cluster() {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const streams = { away: false, slowMs: 0 };
  const app = (name: string) => {
    const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
    const { commandBus, eventBus, taskStateStore, inbox, rateLimiter } = adapter;
    const eventStream = new Proxy(adapter.eventStream, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return async (...call: unknown[]) => {
          if (!streams.away) return value.apply(target, call) as unknown;
          await new Promise<void>((resolve) => void clock.schedule(streams.slowMs, resolve));
          return away();
        };
      },
    });
    const ports = { commandBus, eventBus, taskStateStore, eventStream, inbox, rateLimiter };
    return createApp({ name, namespace: "test", clock, logger: silentLogger, ports, concurrency: 10 });
  };
  const reader = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
  const names = async (id: string) => (await reader.eventStream.read(id)).events.map(({ event }) => event);
  return { clock, streams, app, names };
}

test("the end of a task is told once in a process, however often its duties are tried", async () => {
  const { clock, streams, app, names } = cluster();
  const worker = app("worker");
  const told: string[] = [];
  worker.lifecycle.on("completed", ({ taskId }) => told.push(taskId));
  worker.handle(root, () => {});
  await worker.start();
  streams.away = true;
  await worker.submit(root, {}, { id: "r" });
  await clock.advance(120_000);
  streams.away = false;
  await clock.advance(60_000);
  expect(told).toEqual(["r"]);
  expect((await names("r")).at(-1)).toBe("lifecycle.completed");
  await worker.stop();
});

test("a stream store that is away does not slow down one task after the other", async () => {
  const { clock, streams, app } = cluster();
  const worker = app("worker");
  worker.handle(root, () => {});
  await worker.start();
  streams.away = true;
  const begun = clock.now();
  let done = 0;
  worker.lifecycle.on("completed", () => done++);
  for (let n = 0; n < 200; n++) await worker.submit(root, {});
  while (done < 200 && clock.now() < begun + 600_000) await clock.advance(500);
  expect(done).toBe(200);
  expect(clock.now() - begun).toBeLessThan(10_000);
  streams.away = false;
  await clock.advance(60_000);
  await worker.stop();
});

test("a sweep goes on where the one before it broke off, so that nothing behind a backlog is never reached", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const cursors: (string | undefined)[] = [];
  const taskStateStore = withMethods(adapter.taskStateStore, {
    async recover({ cursor }) {
      cursors.push(cursor);
      return { items: [], next: cursors.length === 30 ? undefined : String(cursors.length) };
    },
  });
  const { commandBus, eventBus } = adapter;
  const ports = { commandBus, eventBus, taskStateStore };
  const app = createApp({ name: "worker", namespace: "test", clock, logger: silentLogger, ports });
  app.handle(root, () => {});
  await app.start();
  while (cursors.length < 31) await clock.advance(1_000);
  expect(cursors.slice(0, 31)).toEqual([undefined, ...Array.from({ length: 29 }, (_, n) => String(n + 1)), undefined]);
  await app.stop();
});

test("stop() does not wait for a sweep that has much to mend", async () => {
  const { clock, streams, app } = cluster();
  const worker = app("worker");
  worker.handle(root, () => {});
  await worker.start();
  streams.away = true;
  streams.slowMs = 2_000;
  for (let n = 0; n < 100; n++) await worker.submit(root, {});
  await clock.advance(60_000);
  const stopped = worker.stop({ timeoutMs: 5_000 }).then(() => clock.now());
  const begun = clock.now();
  await clock.advance(300_000);
  expect((await stopped) - begun).toBeLessThan(15_000);
});

test("what a sub-task's process wrote before its end is in the run's stream, however soon the run ends elsewhere", async () => {
  const { clock, app, names } = cluster();
  const parents = app("parents");
  parents.handle(root, async (_, ctx) => {
    await ctx.call(child, {}, { key: "1" });
    await ctx.call(child, {}, { key: "2" });
  });
  const children = app("children");
  children.handle(child, () => {});
  await parents.start();
  await children.start();
  await parents.submit(root, {}, { id: "r" });
  await clock.advance(10_000);
  const told = await names("r");
  expect(told.filter((name) => name !== "task.completed")).toEqual([
    "lifecycle.started",
    "task.started",
    "task.started",
    "lifecycle.completed",
  ]);
  await parents.stop();
  await children.stop();
});

test("what a run owes at its end outlives its retention", async () => {
  const { clock, streams, app, names } = cluster();
  const brief = defineTask("brief", { input: z.object({}), retentionMs: 5_000 });
  const worker = app("worker");
  worker.handle(brief, () => {});
  await worker.start();
  streams.away = true;
  const task = await worker.submit(brief, {}, { id: "r" });
  await clock.advance(300_000);
  streams.away = false;
  const hasEnded = async () => (await names("r")).at(-1) === "lifecycle.completed";
  for (let waitedMs = 0; waitedMs < 60_000 && !(await hasEnded()); waitedMs += 1_000) await clock.advance(1_000);
  expect(await hasEnded()).toBe(true);
  await clock.advance(60_000);
  await expect(task.status()).rejects.toMatchObject({ code: "NOT_FOUND" });
  await worker.stop();
});

test("after an outage of the store nobody takes over what others still work on, and have not been able to say so", async () => {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const worker = (name: string) => {
    const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
    const { commandBus, eventBus } = adapter;
    const store = { away: false };
    const taskStateStore = new Proxy(adapter.taskStateStore, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return async (...call: unknown[]) => (store.away ? away() : (value.apply(target, call) as unknown));
      },
    });
    const ports = { commandBus, eventBus, taskStateStore };
    const sweep = { intervalMs: 1_000, graceMs: 5_000 };
    const app = createApp({ name, namespace: "test", clock, logger: silentLogger, ports, taskLeaseMs: 10_000, sweep });
    return { app, store };
  };
  const once = defineTask("once", { input: z.object({}), retry: { maxAttempts: 1 } });
  const [busy, idle] = [worker("busy"), worker("idle")];
  let runs = 0;
  busy.app.handle(once, async () => {
    runs++;
    await new Promise<void>((resolve) => void clock.schedule(60_000, resolve));
  });
  await busy.app.start();
  const task = await busy.app.submit(once, {});
  await clock.advance(1_000);
  idle.app.handle(once, () => {
    runs++;
  });
  await idle.app.start();
  await clock.advance(9_000);
  for (const { store } of [busy, idle]) store.away = true;
  await clock.advance(20_000);
  idle.store.away = false;
  await clock.advance(4_000);
  busy.store.away = false;
  await clock.advance(60_000);
  expect(runs).toBe(1);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", attempts: 1 });
  await busy.app.stop();
  await idle.app.stop();
});

test("a clock that is set back after an outage of the store makes the sweep rest for no longer than one lease from then on", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const store = { away: true, sweeps: 0 };
  const taskStateStore = new Proxy(adapter.taskStateStore, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      return async (...call: unknown[]) => {
        if (store.away) away();
        if (property === "recover") store.sweeps++;
        return value.apply(target, call) as unknown;
      };
    },
  });
  const { commandBus, eventBus } = adapter;
  const ports = { commandBus, eventBus, taskStateStore };
  const sweep = { intervalMs: 1_000, graceMs: 5_000 };
  const app = createApp({
    name: "w",
    namespace: "test",
    clock,
    logger: silentLogger,
    ports,
    taskLeaseMs: 10_000,
    sweep,
  });
  app.handle(root, () => {});
  await app.start();
  await clock.advance(5_000);
  store.away = false;
  await clock.advance(3_000);
  clock.setBack(3_600_000);
  await clock.advance(8_000);
  expect(store.sweeps).toBe(0);
  await clock.advance(6_000);
  expect(store.sweeps).toBeGreaterThan(0);
  await app.stop();
});

/** Processes with a bus of their own each, which is gone with them, over one store that stays. */
function overOneStore() {
  const clock = new VirtualClock();
  const kept = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { capabilities } = kept.taskStateStore;
  const store = { away: false };
  const taskStateStore = withMethods(kept.taskStateStore, {
    capabilities: { ...capabilities, processLocal: false },
    list: (query) => (store.away ? away() : kept.taskStateStore.list(query)),
  });
  const process = () => {
    const own = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
    const { commandBus, eventBus } = own;
    const ports = { commandBus, eventBus, taskStateStore };
    return createApp({ name: "app", namespace: "test", clock, logger: silentLogger, ports, concurrency: 1 });
  };
  return { clock, process, store };
}

test("what waited on a bus that was gone with its process is sent again by the next", async () => {
  const { clock, process, store } = overOneStore();
  const first = process();
  first.handle(root, (_, ctx) => new Promise<void>((_, stop) => ctx.signal.addEventListener("abort", () => stop())));
  await first.start();
  for (const id of ["handed-back", "waiting"]) await first.submit(root, {}, { id });
  await first.submit(root, {}, { id: "delayed", delayMs: 60_000 });
  await clock.advance(100);
  const stopped = first.stop({ timeoutMs: 1_000 });
  await clock.advance(5_000);
  await stopped;
  const second = process();
  const runs: string[] = [];
  second.handle(root, (_, ctx) => void runs.push(ctx.id));
  store.away = true;
  await second.start();
  await clock.advance(5_000);
  expect(runs).toEqual([]);
  store.away = false;
  await clock.advance(10_000);
  expect(runs.toSorted()).toEqual(["handed-back", "waiting"]);
  await clock.advance(50_000);
  expect(runs).toEqual([...runs.slice(0, 2), "delayed"]);
  await second.stop();
});

test("a stop ends the wait for a store in which tasks may be stranded", async () => {
  const { clock, process, store } = overOneStore();
  const app = process();
  app.handle(root, () => {});
  store.away = true;
  await app.start();
  await clock.advance(5_000);
  let stopped = false;
  void app.stop().then(() => {
    stopped = true;
  });
  await clock.advance(1_000);
  expect(stopped).toBe(true);
});
