import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask, fixed } from "../contracts/index.ts";
import { silentLogger } from "../ports/logger.ts";
import { toNodeHandler } from "../run-stream/node-http.ts";
import { createTestApp, MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";
import { createApp } from "./create-app.ts";
import type { TaskHandle } from "./task-handle.ts";

const tell = defineTask("tell", {
  input: z.object({ words: z.array(z.string()) }),
  retry: { maxAttempts: 2, backoff: fixed(1_000) },
});
const pair = defineTask("pair", { input: z.object({}) });

async function entries(task: TaskHandle<typeof tell> | TaskHandle<typeof pair>, after?: string): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const entry of task.stream({ after })) {
    list.push("gap" in entry ? entry : [entry.sequence, entry.name, entry.data]);
  }
  return list;
}

/** An app that tells a story, one event per word. */
async function telling() {
  const test = createTestApp();
  test.app.handle(tell, ({ words }, ctx) => {
    for (const word of words) ctx.emit("word", word);
    if (words.length === 0) throw new Error("speechless");
  });
  await test.app.start();
  return test;
}

test("stream() goes from history to live, resumes after any sequence, and ends with the run", async () => {
  const { app, advance } = await telling();
  const task = await app.submit(tell, { words: ["call", "me", "Ishmael"] });
  const live = entries(task);
  await advance(1_000);
  const all = [
    [1, "lifecycle.started", { type: "tell", attempt: 1 }],
    [2, "word", "call"],
    [3, "word", "me"],
    [4, "word", "Ishmael"],
    [5, "lifecycle.completed", { status: "COMPLETED" }],
  ];
  expect(await live).toEqual(all);
  for (let after = 0; after <= 5; after++) expect(await entries(task, String(after))).toEqual(all.slice(after));
  await expect(entries(task, "6")).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  await expect(entries(app.task(tell, "nobody"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  await app.stop();
});

test("the signal ends the iteration of a run that goes on, without an error", async () => {
  const { app, advance } = createTestApp();
  const gate = Promise.withResolvers<void>();
  app.handle(pair, () => gate.promise);
  await app.start();
  const task = await app.submit(pair, {});
  const enough = new AbortController();
  const names: string[] = [];
  const following = (async () => {
    for await (const entry of task.stream({ signal: enough.signal })) if ("name" in entry) names.push(entry.name);
  })();
  await advance(1_000);
  enough.abort();
  await following;
  expect(names).toEqual(["lifecycle.started"]);
  gate.resolve();
  await advance(1_000);
  await app.stop();
});

test("each entry says run, time and source (B1), and a sub-task's handle follows its run", async () => {
  const { app, advance, clock } = createTestApp();
  app.handle(tell, ({ words }, ctx) => ctx.emit("word", words.join(" ")));
  app.handle(pair, async (_, ctx) => {
    await ctx.call(tell, { words: ["one"] }, { key: "first" });
    await ctx.call(tell, { words: ["two"] }, { key: "second" });
  });
  await app.start();
  const task = await app.submit(pair, {}, { id: "p" });
  await advance(1_000);
  const list: unknown[] = [];
  for await (const entry of app.task(tell, "p/second").stream()) {
    if ("gap" in entry) continue;
    expect(entry.runId).toBe("p");
    expect(entry.timestamp).toBeLessThanOrEqual(clock.now());
    list.push(`${entry.source} ${entry.name}`);
  }
  expect(list).toEqual([
    "p lifecycle.started",
    "p/first task.started",
    "p/first word",
    "p/first task.completed",
    "p/second task.started",
    "p/second word",
    "p/second task.completed",
    "p lifecycle.completed",
  ]);
  expect((await task.status()).children).toEqual({ total: 2, open: 0, completed: 2, failed: 0 });
  await app.stop();
});

test("a failed run ends with lifecycle.failed; its replay is a new segment", async () => {
  const { app, advance } = await telling();
  const task = await app.submit(tell, { words: [] });
  await advance(10_000);
  expect(await entries(task)).toMatchObject([
    [1, "lifecycle.started", { type: "tell", attempt: 1 }],
    [2, "lifecycle.retrying", { type: "tell", attempt: 1, delay_ms: 1_000, error: "speechless" }],
    [3, "lifecycle.started", { type: "tell", attempt: 2 }],
    [4, "lifecycle.failed", { status: "DEAD_LETTER", error: "speechless" }],
  ]);
  await task.replay({ input: { words: ["at last"] } });
  await advance(1_000);
  expect(await entries(task)).toEqual([
    [1, "lifecycle.started", { type: "tell", attempt: 1 }],
    [2, "word", "at last"],
    [3, "lifecycle.completed", { status: "COMPLETED" }],
  ]);
  await app.stop();
});

test("who comes back after a replay goes on in the segment that it was in; who comes anew gets the replay's", async () => {
  const { app, advance } = await telling();
  const handle = app.runStreamHandler();
  const task = await app.submit(tell, { words: [] }, { id: "r~2" });
  await advance(10_000);
  await task.replay({ input: { words: ["one", "two", "three", "four"] } });
  await advance(1_000);
  const get = (after: string, accept: string) =>
    handle(new Request(`http://x/runs/r~2/events?lastEventId=${after}&after=${after}`, { headers: { accept } }));
  const idsAfter = async (after: string) =>
    [...(await (await get(after, "text/event-stream")).text()).matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
  const pageAfter = async (after: string) => (await get(after, "application/json")).json();

  expect(await idsAfter("2")).toEqual(["3", "4"]);
  expect(await pageAfter("2")).toMatchObject({ events: [{ sequence: 3 }, { sequence: 4 }], next: "4", last: 4 });
  expect(await entries(task, "3")).toMatchObject([[4, "lifecycle.failed", {}]]);
  expect((await get("4", "text/event-stream")).status).toBe(204);

  expect(await idsAfter("0")).toEqual(["2-1", "2-2", "2-3", "2-4", "2-5", "2-6"]);
  expect(await idsAfter("2-4")).toEqual(["2-5", "2-6"]);
  expect(await pageAfter("2-5")).toMatchObject({ events: [{ sequence: 6 }], next: "2-6", last: 6, ended: true });
  expect(await entries(task, "2-5")).toMatchObject([[6, "lifecycle.completed", {}]]);
  for (const never of ["5", "2-7", "3-1"]) {
    const response = await get(never, "text/event-stream");
    expect([response.status, await response.json()]).toMatchObject([400, { code: "CURSOR_INVALID" }]);
  }

  await advance(86_400_000 - 5_000);
  expect((await get("2", "text/event-stream")).status, "of a segment that has expired").toBe(404);
  expect(await idsAfter("2-5")).toEqual(["2-6"]);
  await app.stop();
});

test("after its time a finished run's stream is gone, and until then a late reader gets all of it (B5)", async () => {
  const { app, advance } = createTestApp({ streamTtlMs: 60_000 });
  app.handle(pair, () => {});
  await app.start();
  const task = await app.submit(pair, {});
  await advance(59_000);
  expect(await entries(task)).toHaveLength(2);
  await advance(120_000);
  await expect(entries(task)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect((await task.status()).status).toBe("COMPLETED");
  await app.stop();
});

test("a stream is kept no longer than the record by which it is found", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { eventStream } = adapter;
  const app = createApp({ name: "test", clock, logger: silentLogger, ports: { ...adapter } });
  const brief = defineTask("brief", { input: z.object({}), retentionMs: 60_000 });
  app.handle(brief, () => {});
  await app.start();
  const task = await app.submit(brief, {});
  await clock.advance(59_000);
  expect((await eventStream.read(task.id)).ended).toBe(true);
  await clock.advance(10_000);
  await expect(task.status()).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect((await eventStream.read(task.id)).last).toBe(0);
  await app.stop();
});

test("over HTTP an app that cannot read streams answers all the same, and says why in its log", async () => {
  const lines: string[] = [];
  const log = (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { commandBus, eventBus, taskStateStore } = adapter;
  const logger = { ...silentLogger, warn: log, error: log };
  const request = () => new Request("http://x/runs/r/events");
  const bare = createApp({ name: "bare", clock, logger, ports: { commandBus, eventBus, taskStateStore } });
  expect((await bare.runStreamHandler()(request())).status).toBe(500);
  expect(lines).toEqual([expect.stringMatching(/INTERMODAL_STREAMS/)]);
  await bare.stop();

  lines.length = 0;
  const stopped = createApp({ name: "stopped", clock, logger, ports: { ...adapter } });
  await stopped.stop();
  expect((await stopped.runStreamHandler()(request())).status).toBe(503);
  expect(lines).toEqual([expect.stringMatching(/the events of runs cannot be read/)]);
});

test("over HTTP: server-sent events with ids, resumed by Last-Event-ID, 204 after the end, history as JSON, and who may read", async () => {
  const { app, advance } = await telling();
  const server = createServer(
    toNodeHandler(app.runStreamHandler({ authorize: ({ headers }) => headers.get("x-key") === "open" })),
  ).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${origin}/runs/${id}/events`, { headers: { "x-key": "open", ...headers } });
  try {
    await app.submit(tell, { words: ["a", "b"] }, { id: "r" });
    await advance(1_000);
    const whole = await get("r");
    expect(whole.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const text = await whole.text();
    expect(text.match(/^id: ?\d+$/gm)?.map((line) => line.replace(/\D/g, ""))).toEqual(["1", "2", "3", "4"]);
    expect(text).toContain("event: word");
    const rest = await (await get("r", { "last-event-id": "3" })).text();
    expect(rest.match(/^id: ?\d+$/gm)).toHaveLength(1);
    expect(rest).toContain("lifecycle.completed");
    expect((await get("r", { "last-event-id": "4" })).status).toBe(204);
    expect((await get("r", { "last-event-id": "5" })).status).toBe(400);
    expect((await get("nobody")).status).toBe(404);
    expect((await get("r", { "x-key": "guess" })).status).toBe(403);
    const page = (await (await get("r", { accept: "application/json" })).json()) as { events: unknown[] };
    expect(page.events).toMatchObject([1, 2, 3, 4].map((sequence) => ({ run_id: "r", sequence })));
  } finally {
    server.close();
    await app.stop();
  }
});

test("reserved names and data that is too large are refused where they are emitted", async () => {
  const { app, advance } = createTestApp();
  const codes: unknown[] = [];
  app.handle(pair, (_, ctx) => {
    const attempts = [
      () => ctx.emit("lifecycle.completed", {}),
      () => ctx.emit("task.failed", {}),
      () => ctx.emit("gap", {}),
      () => ctx.emit("unavailable", {}),
      () => ctx.emit("two\nlines", {}),
      () => ctx.emit("large", "x".repeat(1024 * 1024 + 1)),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    }
    ctx.emit("largest", "x".repeat(1024 * 1024 - 2));
  });
  await app.start();
  const task = await app.submit(pair, {});
  await advance(1_000);
  expect(codes).toEqual([...Array.from({ length: 5 }, () => "VALIDATION_FAILED"), "PAYLOAD_TOO_LARGE"]);
  expect((await entries(task)).map((entry) => (entry as [number, string])[1])).toEqual([
    "lifecycle.started",
    "largest",
    "lifecycle.completed",
  ]);
  await app.stop();
});
