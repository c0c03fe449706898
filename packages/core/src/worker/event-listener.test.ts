import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineEvent, fixed } from "../contracts/index.ts";
import { IntermodalError, NonRetryableError } from "../errors.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { createTestApp, VirtualClock } from "../testing/index.ts";
import { cloudEventsCodec } from "../wire/codecs.ts";
import type { SkippedEvent } from "./event-listener.ts";

const orderOf = (version: string) => defineEvent("order.placed", { version, data: z.object({ n: z.number() }) });
const order = orderOf("1.0");
const anyOrder = defineEvent("order.placed");

test("the publisher stamps id, time and version (A5), and every listener gets each event", async () => {
  const { app, idle, clock } = createTestApp({ name: "shop" });
  const heard: unknown[] = [];
  for (const listener of ["a", "b"]) {
    app.on(order, { listener }, ({ id, type, version, source, time, data }, ctx) =>
      heard.push([listener, { id, type, version, source, time, data }, ctx.attempt]),
    );
  }
  await app.start();
  await app.publish(order, { n: 1 }, { id: "o-1" });
  await idle();
  const event = { id: "o-1", type: "order.placed", version: "1.0", source: "shop", time: clock.now(), data: { n: 1 } };
  expect(heard).toEqual([
    ["a", event, 1],
    ["b", event, 1],
  ]);
  await app.publish(defineEvent("order.placed"), { n: 2 });
  await idle();
  const stamped = heard[2] as [string, { id: string; version: string }];
  expect(stamped[1].id).toMatch(/^.{16,}$/);
  expect(stamped[1].version).toBe("1.0");
  await app.stop();
});

test("versions outside the range are warned about, counted, told to the hook and acknowledged (A6)", async () => {
  const skipped: SkippedEvent[] = [];
  const warnings: unknown[] = [];
  const { app, idle } = createTestApp({
    onSkippedEvent: (event) => skipped.push(event),
    logger: { ...silentLogger, warn: (message, fields) => warnings.push([message, fields?.version]) },
  });
  const heard: string[] = [];
  app.on(orderOf("2.1"), { listener: "major" }, ({ version }) => heard.push(`major ${version}`));
  app.on(orderOf("2.1"), { listener: "range", versions: { min: "1.5", max: "2.0" } }, ({ version }) =>
    heard.push(`range ${version}`),
  );
  await app.start();
  for (const version of ["1.4", "1.5", "2.0", "2.7", "3.0"]) await app.publish(orderOf(version), { n: 1 });
  await idle();
  expect(heard.sort()).toEqual(["major 2.0", "major 2.7", "range 1.5", "range 2.0"]);
  const of = (name: string) => skipped.filter(({ listener }) => listener === name);
  expect(of("major").map(({ version, reason }) => [version, reason])).toEqual([
    ["1.4", "version"],
    ["1.5", "version"],
    ["3.0", "version"],
  ]);
  expect(of("range").map(({ version }) => version)).toEqual(["1.4", "2.7", "3.0"]);
  expect(warnings).toHaveLength(6);
  expect((await app.health()).listeners).toEqual({
    major: { handled: 2, skipped: 3, missed: 0 },
    range: { handled: 2, skipped: 3, missed: 0 },
  });
  for (const name of ["major", "range"]) {
    expect(await app.inspectListener(name)).toEqual({ pending: 0, inFlight: 0, delayed: 0, dead: 0 });
  }
  await app.stop();
});

test("a payload that fails the schema is dead-lettered or skipped, as the listener says; without a schema it is a plain object", async () => {
  const skipped: SkippedEvent[] = [];
  const { app, idle } = createTestApp({ onSkippedEvent: (event) => skipped.push(event) });
  const plain: unknown[] = [];
  app.on(order, { listener: "strict" }, () => {});
  app.on(order, { listener: "lenient", invalid: "skip" }, () => {});
  app.on(anyOrder, { listener: "plain" }, ({ data }) => plain.push(data));
  await app.start();
  await app.publish(anyOrder, { n: "one" });
  await idle();
  expect(plain).toEqual([{ n: "one" }]);
  expect(skipped).toMatchObject([{ listener: "lenient", reason: "invalid" }]);
  const letters = (await app.listenerDeadLetters.list("strict")).items;
  expect(letters).toMatchObject([{ attempts: 1, reason: expect.stringContaining('data of event "order.placed"') }]);
  expect(cloudEventsCodec.decode(letters[0]?.body as Uint8Array).data).toEqual({ n: "one" });
  expect((await app.listenerDeadLetters.list("lenient")).items).toEqual([]);
  await app.stop();
});

test("a failing listener retries alone; its dead letters are listed, replayed to it alone, and discarded", async () => {
  const { app, advance, idle } = createTestApp();
  const state = { fails: true };
  const heard: string[] = [];
  const retry = { maxAttempts: 3, backoff: fixed(1_000) };
  app.on(order, { listener: "shaky", retry }, ({ data }) => {
    heard.push(`shaky ${data.n}`);
    if (state.fails) throw new Error("not now");
  });
  app.on(order, { listener: "firm" }, ({ data }) => heard.push(`firm ${data.n}`));
  app.on(order, { listener: "hopeless" }, () => {
    throw new NonRetryableError("never");
  });
  await app.start();
  await app.publish(order, { n: 1 });
  await app.publish(order, { n: 2 });
  await advance(10_000);
  expect(heard.filter((line) => line.startsWith("firm")).sort()).toEqual(["firm 1", "firm 2"]);
  expect(heard.filter((line) => line === "shaky 1")).toHaveLength(3);
  const { items } = await app.listenerDeadLetters.list("shaky");
  expect(items.map(({ attempts, reason }) => [attempts, reason])).toEqual(
    [1, 2].map(() => [3, "all 3 attempts used up; the last: not now"]),
  );
  expect((await app.listenerDeadLetters.list("hopeless")).items.map(({ attempts }) => attempts)).toEqual([1, 1]);
  expect((await app.listenerDeadLetters.list("firm")).items).toEqual([]);
  expect(await app.inspectListener("shaky")).toMatchObject({ dead: 2 });

  state.fails = false;
  heard.length = 0;
  const [first, second] = items.map(({ deadLetterId }) => deadLetterId) as [string, string];
  expect(await app.listenerDeadLetters.replay("shaky", [first])).toBe(1);
  expect(await app.listenerDeadLetters.discard("shaky", [second, "unknown"])).toBe(1);
  await idle();
  expect(heard).toEqual(["shaky 1"]);
  expect((await app.listenerDeadLetters.list("shaky")).items).toEqual([]);
  await app.stop();
});

test("an inbox that lets nobody in for now costs no event a try", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  let refuses = true;
  const inbox = withMethods(adapter.inbox, {
    async reserve(...ask) {
      if (refuses) throw new IntermodalError("CONFIG_INVALID", "NOPERM");
      return adapter.inbox.reserve(...ask);
    },
  });
  const app = createApp({ name: "test", clock, logger: silentLogger, ports: { ...adapter, inbox } });
  const attempts: number[] = [];
  app.on(order, { listener: "a", retry: { maxAttempts: 1 } }, (_, ctx) => void attempts.push(ctx.attempt));
  await app.start();
  await app.publish(order, { n: 1 });
  await clock.advance(10_000);
  refuses = false;
  await clock.advance(10_000);
  expect(attempts).toEqual([1]);
  await app.stop();
});

test("with an inbox an event that was completed is not handled again; one that failed is", async () => {
  const { app, advance, idle } = createTestApp({ inboxWindowMs: 7_200_000 });
  const heard: string[] = [];
  app.on(order, { listener: "l", retry: { backoff: fixed(1_000) } }, ({ id }, ctx) => {
    heard.push(`${id} ${ctx.attempt}`);
    if (id === "fails" && ctx.attempt === 1) throw new Error("once");
  });
  await app.start();
  await app.publish(order, { n: 1 }, { id: "x" });
  await app.publish(order, { n: 1 }, { id: "fails" });
  await advance(5_000);
  expect(heard).toEqual(["x 1", "fails 1", "fails 2"]);
  // Past the broker's own window, within the inbox's.
  await advance(3_600_000);
  await app.publish(order, { n: 1 }, { id: "x" });
  await idle();
  expect(heard).toHaveLength(3);
  await advance(7_200_000);
  await app.publish(order, { n: 1 }, { id: "x" });
  await idle();
  expect(heard.at(-1)).toBe("x 1");
  await app.stop();
});

test("replicas share a listener's events; another app's listener of the same name has its own; one that was away catches up", async () => {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const heard: string[] = [];
  const appOf = (name: string, replica: string) => {
    const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
    const app = createApp({ name, clock, logger: silentLogger, ports: adapter });
    return app.on(order, { listener: "index", concurrency: 1 }, ({ data }) => heard.push(`${replica} ${data.n}`));
  };
  const apps = [appOf("shop", "shop 1"), appOf("shop", "shop 2"), appOf("press", "press")];
  await Promise.all(apps.map((app) => app.start()));
  const publisher = apps[2] as (typeof apps)[number];
  for (let n = 0; n < 20; n++) await publisher.publish(order, { n });
  await clock.advance(1_000);
  const numbers = (of: string) =>
    heard
      .filter((line) => line.startsWith(of))
      .map((line) => Number(line.split(" ").at(-1)))
      .sort((a, b) => a - b);
  const all = Array.from({ length: 20 }, (_, n) => n);
  expect(numbers("shop")).toEqual(all);
  expect(numbers("press")).toEqual(all);

  await Promise.all(apps.slice(0, 2).map((app) => app.stop()));
  await publisher.publish(order, { n: 99 });
  await clock.advance(1_000);
  const back = appOf("shop", "back");
  await back.start();
  await clock.advance(1_000);
  expect(numbers("back")).toEqual([99]);
  await Promise.all([back.stop(), publisher.stop()]);
});

test("a new listener starts where it says, and one that is forgotten is new again", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  // An inbox would remember the event longer than the bus remembers the listener.
  const { commandBus, eventBus } = adapter;
  const appOf = (name: string) => createApp({ name, clock, logger: silentLogger, ports: { commandBus, eventBus } });
  const heard: string[] = [];
  const start = async () => {
    const app = appOf("shop");
    app.on(order, { listener: "new" }, ({ data }) => heard.push(`new ${data.n}`));
    app.on(order, { listener: "earliest", from: "earliest" }, ({ data }) => heard.push(`earliest ${data.n}`));
    await app.start();
    await clock.advance(1_000);
    return app;
  };
  await appOf("sender").publish(order, { n: 1 });
  const first = await start();
  expect(heard).toEqual(["earliest 1"]);
  await first.stop();
  await (await start()).stop();
  expect(heard).toEqual(["earliest 1"]);
  await appOf("shop").forget("earliest");
  await (await start()).stop();
  expect(heard).toEqual(["earliest 1", "earliest 1"]);
});

test("bytes that don't parse are dead-lettered as they came, and later events flow", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const app = createApp({ name: "shop", clock, logger: silentLogger, ports: adapter });
  const heard: number[] = [];
  app.on(order, { listener: "l" }, ({ data }) => heard.push(data.n));
  await app.start();
  const body = Uint8Array.from([0xff, 0x00, 0x7b]);
  await adapter.eventBus.publish([{ id: "poison", type: order.name, body }]);
  await app.publish(order, { n: 1 });
  await clock.advance(1_000);
  expect(heard).toEqual([1]);
  expect((await app.listenerDeadLetters.list("l")).items).toMatchObject([{ id: "poison", body, attempts: 1 }]);
  await app.stop();
});

test("what no retry can cure, such as data that JSON cannot hold, is a dead letter at once", async () => {
  const { app, idle } = createTestApp();
  app.on(order, { listener: "l" }, async (_, ctx) => {
    await ctx.publish(anyOrder, { n: 1n } as never);
  });
  await app.start();
  await app.publish(order, { n: 1 });
  await idle();
  expect((await app.listenerDeadLetters.list("l")).items).toMatchObject([{ attempts: 1 }]);
  await app.stop();
});
