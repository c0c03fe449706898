import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { memory } from "../memory/index.ts";
import type { AdapterFactory } from "../ports/adapter.ts";
import { ADAPTER_API } from "../ports/adapter.ts";
import { systemClock } from "../ports/clock.ts";
import { type Logger, silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { openCarriers } from "./carriers.ts";
import { AdapterCatalogue, resolveUrls } from "./config.ts";
import { createApp } from "./create-app.ts";

const task = defineTask("t.task", { input: z.object({ n: z.number() }) });
const command = defineCommand("t.command", { input: z.object({ n: z.number() }) });
const event = defineEvent("t.event", { data: z.object({ n: z.number() }) });

afterEach(() => vi.unstubAllEnvs());

/** What a call throws or rejects with. */
async function errorOf(call: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await call();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was thrown");
}

/** An adapter with some of memory's ports, under another scheme. */
function partOfMemory(scheme: string, ports: readonly string[], url?: (url: string) => void): AdapterFactory {
  return {
    name: scheme,
    adapterApi: ADAPTER_API,
    schemes: [scheme],
    create(context) {
      url?.(context.url);
      const whole = memory().create({ ...context, url: "memory:" });
      return new Proxy(whole, {
        get: (target, property) => {
          if (typeof property === "string" && /Bus$|Store$|Stream$/.test(property) && !ports.includes(property))
            return undefined;
          const value: unknown = Reflect.get(target, property);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
}

test("nothing configured in production is refused at construction", async () => {
  vi.stubEnv("NODE_ENV", "production");
  const error = await errorOf(() => createApp({ name: "a" }));
  expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("INTERMODAL_URL") });
  expect(() => createApp({ name: "a", url: "memory:" })).not.toThrow();
});

test("an unknown scheme is refused at construction, with the known ones named and credentials hidden", async () => {
  const error = await errorOf(() => createApp({ name: "a", url: "kafka://joe:hunter2@host:9092/x?token=sesame" }));
  expect(error).toMatchObject({ code: "UNKNOWN_SCHEME", message: expect.stringContaining("memory") });
  expect(error.message).not.toMatch(/hunter2|joe|sesame/);
});

test.each([
  [{ url: "localhost" }, {}, "`url` in createApp"],
  [{ events: "user:hunter2 localhost" }, { INTERMODAL_EVENTS: "memory:" }, "`events` in createApp"],
  [{}, { INTERMODAL_URL: "//joe:hunter2@host" }, "INTERMODAL_URL"],
  [{ commands: "memory:" }, { INTERMODAL_URL: "memory:", INTERMODAL_STATE: "joe:hunter2@host" }, "INTERMODAL_STATE"],
  [{ commands: "memory:" }, { INTERMODAL_EVENTS: "broken://joe:hunter2" }, "INTERMODAL_EVENTS"],
])(
  "a URL that can't be read is not quoted: what it was set by is named (%j, %j)",
  async (options, environment, from) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const create = () => {
      throw new IntermodalError("CONFIG_INVALID", "the URL can't be read");
    };
    const error = await errorOf(async () => {
      const app = createApp({ name: "a", adapters: [{ ...memory(), schemes: ["broken"], create }], ...options });
      await app.connect();
    });
    expect(["CONFIG_INVALID", "UNKNOWN_SCHEME"]).toContain(error.code);
    expect(error.message).toContain(from);
    expect(error.message).not.toContain("hunter2");
  },
);

test("an adapter that is not installed is named, with what to install", async () => {
  vi.doMock("@intermodal/store-mongo", () => {
    throw new Error("Cannot find package 'mongodb'");
  });
  onTestFinished(() => void vi.doUnmock("@intermodal/store-mongo"));
  const app = createApp({ name: "a", url: "mongodb://user:secret@host/db" });
  const error = await errorOf(() => app.connect());
  expect(error).toMatchObject({
    code: "ADAPTER_NOT_INSTALLED",
    message: expect.stringContaining("npm install @intermodal/store-mongo"),
  });
  expect(JSON.stringify(error) + error.message).not.toContain("secret");
});

test("an adapter for another version of the API is refused", async () => {
  const adapters = [{ ...memory(), adapterApi: ADAPTER_API + 1, schemes: ["next"] }];
  expect(await errorOf(() => createApp({ name: "a", adapters }))).toMatchObject({ code: "ADAPTER_INCOMPATIBLE" });
});

test("a port that the named adapter hasn't is missing, and so is one that is left over", async () => {
  const adapters = [partOfMemory("store", ["taskStateStore", "eventStream"])];
  const named = createApp({ name: "a", adapters, url: "memory:", commands: "store://me:pw@x" });
  const error = await errorOf(() => named.connect());
  expect(error).toMatchObject({ code: "PORT_MISSING", message: expect.stringContaining("INTERMODAL_COMMANDS") });
  expect(error.message).not.toContain("pw");
  const leftOver = createApp({ name: "a", adapters, url: "store://x" });
  expect(await errorOf(() => leftOver.connect())).toMatchObject({ code: "PORT_MISSING" });
});

test("URLs come from the environment, those in code win, and equal ones share an adapter", async () => {
  const opened: string[] = [];
  const adapters = [
    partOfMemory("bus", ["commandBus", "eventBus", "taskStateStore", "eventStream"], (url) => opened.push(url)),
  ];
  vi.stubEnv("INTERMODAL_URL", "bus://environment");
  vi.stubEnv("INTERMODAL_EVENTS", "bus://events");
  const app = createApp({ name: "a", adapters, url: "bus://code" });
  await app.connect();
  expect(opened.sort()).toEqual(["bus://code", "bus://events"]);
  await app.stop();
});

test("process-local task state under another command bus is refused for tasks, and for nothing else", async () => {
  const adapters = [partOfMemory("bus", ["commandBus", "eventBus"])];
  const app = createApp({ name: "a", adapters, url: "bus://x", state: "memory:", streams: "memory:" });
  await app.send(command, { n: 1 });
  expect(await errorOf(() => app.submit(task, { n: 1 }))).toMatchObject({
    code: "PORT_MISSING",
    message: expect.stringContaining("INTERMODAL_STATE"),
  });
  expect(await errorOf(() => app.handle(task, () => {}).start())).toMatchObject({ code: "PORT_MISSING" });
});

test("process-local task state is good enough where one process does everything", async () => {
  const adapters = [partOfMemory("bus", ["commandBus", "eventBus"])];
  const urls = { url: "bus://x", state: "memory:", streams: "memory:" };
  const app = createApp({ name: "a", adapters, ...urls, singleProcess: true });
  await app.handle(task, () => {}).start();
  await (await app.submit(task, { n: 1 })).result({ timeoutMs: 5_000 });
  await app.stop();
});

test("credentials in a URL reach neither errors nor logs, whatever an adapter throws", async () => {
  const logged: string[] = [];
  const note = (message: string, fields?: object) => logged.push(message + JSON.stringify(fields ?? {}));
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const broken: AdapterFactory = {
    ...memory(),
    schemes: ["broken"],
    create: ({ url }) => {
      throw new Error(`cannot open ${url}`);
    },
  };
  const app = createApp({ name: "a", adapters: [broken], url: "broken://ada:lovelace@host", logger });
  const error = await errorOf(() => app.connect());
  const { cause } = error as { cause?: Error };
  const seen = [error.message, String(cause), cause?.stack, ...logged].join();
  expect(seen).toContain("cannot open broken://***@host");
  expect(seen).not.toContain("lovelace");
  expect(error).toMatchObject({ code: "CONFIG_INVALID" });
});

test("a second handler of a type and a second listener of a name are refused", async () => {
  const app = createApp({ name: "a", url: "memory:" });
  app.handle(task, () => {}).on(event, { listener: "l" }, () => {});
  expect(await errorOf(() => app.handle(task, () => {}))).toMatchObject({ code: "ALREADY_REGISTERED" });
  expect(await errorOf(() => app.on(event, { listener: "l" }, () => {}))).toMatchObject({ code: "ALREADY_REGISTERED" });
  await app.start();
  expect(await errorOf(() => app.handle(command, () => {}))).toMatchObject({ code: "CONFIG_INVALID" });
  await app.stop();
});

test("invalid payloads are refused before anything is sent, and leave nothing behind", async () => {
  const app = createApp({ name: "a", url: "memory:" });
  const wrong = { n: "one" } as unknown as { n: number };
  const error = await errorOf(() => app.submit(task, wrong, { id: "x" }));
  expect(error).toMatchObject({ code: "VALIDATION_FAILED", message: expect.stringMatching(/t\.task.*n/s) });
  expect(await errorOf(() => app.send(command, wrong))).toMatchObject({ code: "VALIDATION_FAILED" });
  expect(await errorOf(() => app.publish(event, wrong))).toMatchObject({ code: "VALIDATION_FAILED" });
  expect(await app.tasks.get("x")).toBeUndefined();
  expect(await app.inspectQueue()).toMatchObject({ ready: 0 });
  await app.stop();
});

test("what JSON cannot hold is refused by its path", async () => {
  const anything = defineTask("t.anything", { input: z.any() });
  const app = createApp({ name: "a", url: "memory:" });
  for (const value of [{ list: [1n] }, { list: [new Map()] }, { list: [() => {}] }]) {
    expect(await errorOf(() => app.submit(anything, value))).toMatchObject({
      code: "NOT_SERIALIZABLE",
      message: expect.stringContaining("list"),
    });
  }
  await app.stop();
});

test("a payload that is too large is refused, typed, and leaves no task that waits", async () => {
  const text = defineTask("t.text", { input: z.string() });
  const app = createApp({ name: "a", url: "memory:", adapters: [memory({ limits: { maxPayloadBytes: 10_000 } })] });
  expect(await errorOf(() => app.submit(text, "x".repeat(20_000), { id: "big" }))).toMatchObject({
    code: "PAYLOAD_TOO_LARGE",
  });
  // Fits the store, but not the bus with its envelope.
  expect(await errorOf(() => app.submit(text, "x".repeat(9_990), { id: "edge" }))).toMatchObject({
    code: "PAYLOAD_TOO_LARGE",
  });
  expect((await app.tasks.list({ status: ["QUEUED", "RUNNING"] })).items).toEqual([]);
  await app.stop();
});

test("bad ids, names and durations are refused", async () => {
  expect(await errorOf(() => createApp({ name: "no good" }))).toMatchObject({ code: "INVALID_NAME" });
  expect(await errorOf(() => createApp({ name: "a", namespace: "a..b" }))).toMatchObject({ code: "INVALID_NAME" });
  expect(await errorOf(() => createApp({ name: "a", concurrency: 0 }))).toMatchObject({ code: "CONFIG_INVALID" });
  expect(await errorOf(() => createApp({ name: "a", taskLeaseMs: -1 }))).toMatchObject({ code: "CONFIG_INVALID" });
  const app = createApp({ name: "a", url: "memory:" });
  expect(await errorOf(() => app.submit(task, { n: 1 }, { id: "" }))).toMatchObject({ code: "INVALID_NAME" });
  expect(await errorOf(() => app.submit(task, { n: 1 }, { delayMs: -1 }))).toMatchObject({ code: "VALIDATION_FAILED" });
  expect(await errorOf(() => app.submit(task, { n: 1 }, { delayMs: Number.NaN }))).toMatchObject({
    code: "VALIDATION_FAILED",
  });
  await app.stop();
});

test("after stop() everything that sends is refused, and starting again too", async () => {
  const app = createApp({ name: "a", url: "memory:" });
  app.handle(task, () => {});
  await app.start();
  await app.stop();
  await app.stop();
  expect(await errorOf(() => app.submit(task, { n: 1 }))).toMatchObject({ code: "CLOSED" });
  expect(await errorOf(() => app.send(command, { n: 1 }))).toMatchObject({ code: "CLOSED" });
  expect(await errorOf(() => app.publish(event, { n: 1 }))).toMatchObject({ code: "CLOSED" });
  expect(await errorOf(() => app.start())).toMatchObject({ code: "CLOSED" });
});

test("a task's id that is taken by another task is a conflict; the same submit again is the same task", async () => {
  const app = createApp({ name: "a", url: "memory:" });
  await app.submit(task, { n: 1 }, { id: "x" });
  expect((await app.submit(task, { n: 1 }, { id: "x" })).id).toBe("x");
  expect(await errorOf(() => app.submit(task, { n: 2 }, { id: "x" }))).toMatchObject({ code: "CONFLICT" });
  expect((await app.tasks.list()).items).toHaveLength(1);
  await app.stop();
});

test("creating and connecting an app does no harm to a process that wants to end", async () => {
  const before = process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const app = createApp({ name: "a", url: "memory:" });
  await app.submit(task, { n: 1 });
  expect(process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length).toBe(before);
  await app.stop();
});

/** The ports of memory under a scheme that others reach too. */
function shared(scheme: string, ports: readonly string[]): AdapterFactory {
  const factory = partOfMemory(scheme, ports);
  return {
    ...factory,
    create(context) {
      const adapter = factory.create(context);
      const taskStateStore =
        adapter.taskStateStore &&
        withMethods(adapter.taskStateStore, {
          capabilities: { ...adapter.taskStateStore.capabilities, processLocal: false },
        });
      return withMethods(adapter, {
        taskStateStore,
        rateLimiter: ports.includes("rateLimiter") ? adapter.rateLimiter : undefined,
        inbox: ports.includes("inbox") ? adapter.inbox : undefined,
      });
    },
  };
}

const BUSES = ["commandBus", "eventBus"];
const STORES = ["taskStateStore", "eventStream"];

test.each([
  { url: "bus:", state: "full:", streams: "memory:", limiter: "full", inbox: "full" },
  { commands: "memory:", events: "bus:", state: "full:", streams: "full:", limiter: "full", inbox: "full" },
  { url: "bus:", state: "bare:", streams: "full:", limiter: "full", inbox: "full" },
  { url: "bus:", state: "bare:", streams: "memory:", limiter: undefined, inbox: undefined },
  { commands: "memory:", events: "bus:", state: "bare:", streams: "bare:", limiter: "memory", inbox: undefined },
  { commands: "bus:", events: "memory:", state: "bare:", streams: "bare:", limiter: undefined, inbox: "memory" },
  { url: "bus:", state: "bare:", streams: "memory:", singleProcess: true, limiter: "memory", inbox: "memory" },
  { url: "memory:", limiter: "memory", inbox: "memory" },
])("limits and what was handled are kept where all that they are for share them: %j", async (each) => {
  const { singleProcess = false, limiter, inbox, ...urls } = each;
  const made = new Map<unknown, string>();
  const told = (factory: AdapterFactory): AdapterFactory => ({
    ...factory,
    create(context) {
      const adapter = factory.create(context);
      made.set(adapter.rateLimiter ?? {}, factory.name).set(adapter.inbox ?? {}, factory.name);
      return adapter;
    },
  });
  const factories = [
    shared("bus", BUSES),
    shared("bare", STORES),
    shared("full", [...STORES, "rateLimiter", "inbox"]),
    memory(),
  ];
  const context = { namespace: "test", node: "n", clock: systemClock, logger: silentLogger };
  const catalogue = new AdapterCatalogue(factories.map(told));
  const { ports, adapters } = await openCarriers(catalogue, resolveUrls(urls, {}), context, { singleProcess });
  expect([made.get(ports.rateLimiter), made.get(ports.inbox)]).toEqual([limiter, inbox]);
  for (const adapter of adapters) await adapter.close();
});

test("what was opened before something was missing is closed again", async () => {
  let open = 0;
  const counted = (factory: AdapterFactory): AdapterFactory => ({
    ...factory,
    create(context) {
      open++;
      const adapter = factory.create(context);
      return withMethods(adapter, {
        close() {
          open--;
          return adapter.close();
        },
      });
    },
  });
  const adapters = [counted(partOfMemory("bus", BUSES)), counted(partOfMemory("store", STORES))];
  const app = createApp({ name: "a", adapters, commands: "bus:", events: "bus:", state: "store:", streams: "bus:" });
  const error = await errorOf(() => app.connect());
  expect([error.code, open]).toEqual(["PORT_MISSING", 0]);
});

test.each([
  "store://host?tlsCertificateKeyFilePassword=hunter2",
  "store://host?authMechanismProperties=AWS_SESSION_TOKEN:hunter2",
  "store:joe:hunter2@host",
  "store://joe:a/hunter2@host",
])("an adapter that has not every port is named by what set it: %s", async (url) => {
  const app = createApp({ name: "a", adapters: [partOfMemory("store", STORES)], url });
  const error = await errorOf(() => app.connect());
  expect(error).toMatchObject({ code: "PORT_MISSING", message: expect.stringContaining("`url` in createApp") });
  expect(error.message).not.toContain("hunter2");
});
