import { type App, defineTask, isIntermodalError, type JsonValue, type TaskQuery } from "@intermodal/core";
import { expect } from "vitest";
import { z } from "zod";
import { HOSTILE_TEXTS, HOSTILE_VALUES } from "../../../packages/conformance/src/task-state-store/hostile-values.ts";
import { MAX_EVENT_DATA_BYTES } from "../../../packages/core/src/adapter/run-events.ts";
import { FULL, onEachStore } from "./each-store.ts";
import { collect, namesOf } from "./entries.ts";
import type { StoreStage } from "./stage.ts";

/** Passes on what it is given, whatever it is: nothing but the stores may change it. */
const anything = z.custom<JsonValue>(() => true);
/** Gives back what it got, and emits it. */
const echo = defineTask("stores.echo", { queue: "echo", input: anything, output: anything });
/** Emits texts whose JSON has these lengths, and tells which were refused. */
const large = defineTask("stores.large", {
  queue: "echo",
  input: z.object({ lengths: z.array(z.int()), character: z.string() }),
  output: z.array(z.string()),
});

/** Of the texts, in an ordinary run: every one that a store or a protocol reads as something of its own. */
const TEXTS = FULL ? HOSTILE_TEXTS : HOSTILE_TEXTS.filter((text) => /[{}:*$\n\r\0]|__proto__/.test(text));
const ENDED_MS = 30_000;

/** An app that works too: the stores are what is put to the test. */
async function started(stage: StoreStage): Promise<App> {
  const app = await stage.client({ concurrency: 4 }, { commands: "memory:", events: "memory:" });
  app.handle(echo, (value, ctx) => {
    ctx.emit("echo", value);
    ctx.progress(value);
    return value;
  });
  app.handle(large, ({ lengths, character }, ctx) =>
    lengths.map((length) => {
      try {
        ctx.emit("large", textOf(length, character));
        return "taken";
      } catch (error) {
        return isIntermodalError(error) ? error.code : "no error of the SDK";
      }
    }),
  );
  await app.start();
  return app;
}

/** A text that is as many bytes as JSON. */
function textOf(bytes: number, character: string): string {
  const each = Buffer.byteLength(JSON.stringify(character)) - 2;
  const whole = Math.floor((bytes - 2) / each);
  return character.repeat(whole) + "x".repeat(bytes - 2 - whole * each);
}

async function ask(app: App, path: string, headers: Record<string, string>): Promise<Response> {
  return app.runStreamHandler()(new Request(`http://localhost/runs/${path}/events`, { headers }));
}

onEachStore("tasks, users and runs stay apart, whatever characters their ids have", {}, async (stage) => {
  const app = await started(stage);
  await Promise.all(
    TEXTS.map(async (id, at) =>
      (await app.submit(echo, { at, id }, { id, userId: id })).result({ timeoutMs: ENDED_MS }),
    ),
  );
  for (const [at, id] of TEXTS.entries()) {
    const what = { at, id };
    expect(await app.tasks.get(id)).toMatchObject({
      id,
      userId: id,
      parameters: what,
      result: what,
      status: "COMPLETED",
    });
    expect((await app.tasks.list({ userId: id })).items.map((item) => item.id)).toEqual([id]);
    expect((await app.tasks.list({ rootId: id })).items.map((item) => item.id)).toEqual([id]);
    const entries = await collect(app.task(echo, id).stream());
    expect(entries.flatMap((entry) => ("gap" in entry || entry.name !== "echo" ? [] : [entry.data]))).toEqual([what]);
    const page = await ask(app, encodeURIComponent(id), { accept: "application/json" });
    expect(page.status).toBe(200);
    const { events } = (await page.json()) as { events: readonly { run_id: string; source: string }[] };
    expect(new Set(events.map(({ run_id, source }) => `${run_id}|${source}`))).toEqual(new Set([`${id}|${id}`]));
  }
  for (const id of ["{}:*", "*", "[a-z]", '{"$ne":""}', "a\0"].map((text) => `${text} that never was`)) {
    expect(await app.tasks.get(id)).toBeUndefined();
    expect((await ask(app, encodeURIComponent(id), { accept: "text/event-stream" })).status).toBe(404);
  }
});

onEachStore("parameters, progress, results and events come back as they were", {}, async (stage) => {
  const app = await started(stage);
  for (const [at, value] of HOSTILE_VALUES.entries()) {
    const id = `value-${at}`;
    const task = await app.submit(echo, { value }, { id });
    // Its schema takes nothing away, so what is compared is what the stores gave back.
    expect(JSON.stringify(await task.result({ timeoutMs: ENDED_MS }))).toBe(JSON.stringify({ value }));
    const { parameters, result, progress } = await task.status();
    for (const kept of [parameters, result, progress]) expect(JSON.stringify(kept)).toBe(JSON.stringify({ value }));
    const entries = await collect(task.stream());
    const data = entries.flatMap((entry) => ("gap" in entry || entry.name !== "echo" ? [] : [entry.data]));
    expect(JSON.stringify(data)).toBe(JSON.stringify([{ value }]));
    // The same again is the same, and nothing else is.
    expect((await app.submit(echo, { value }, { id })).id).toBe(id);
    await expect(app.submit(echo, { value: { value } }, { id })).rejects.toMatchObject({ code: "CONFLICT" });
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

onEachStore(
  "event data of 1 MiB is stored, and what is longer than the store takes is refused at once",
  {},
  async (stage) => {
    const app = await started(stage);
    const lengths = [MAX_EVENT_DATA_BYTES, MAX_EVENT_DATA_BYTES + 1, 10];
    for (const character of ["x", "\0", "é", "\u{1F991}"]) {
      const task = await app.submit(large, { lengths, character });
      const [exact, longer, short] = await task.result({ timeoutMs: ENDED_MS });
      expect([exact, short]).toEqual(["taken", "taken"]);
      expect(["taken", "PAYLOAD_TOO_LARGE"]).toContain(longer);
      const entries = await collect(task.stream());
      const data = entries.flatMap((entry) => ("gap" in entry || entry.name !== "large" ? [] : [entry.data]));
      const taken = lengths.filter((_, at) => [exact, longer, short][at] === "taken");
      expect(data.map((text) => Buffer.byteLength(JSON.stringify(text)))).toEqual(taken);
      expect(data).toEqual(taken.map((length) => textOf(length, character)));
      expect(namesOf(entries).at(-1)).toBe("lifecycle.completed");
    }
    expect((await app.health()).lostRunEvents).toBe(0);
  },
);

/** As a program has it that hands on what came in a request. */
const OPERATORS: readonly unknown[] = [
  { $gt: "" },
  { $ne: null },
  { $in: ["alice"] },
  ["alice"],
  { toString: "alice" },
  1,
  null,
  true,
];
const TEXT_FIELDS = ["type", "userId", "parentId", "rootId", "cursor"] as const;

onEachStore("operators in ids and filters are refused, and find nothing", {}, async (stage) => {
  const app = await started(stage);
  const task = await app.submit(echo, "secret", { id: "alice", userId: "alice" });
  await task.result({ timeoutMs: ENDED_MS });
  const look = async () => {
    const { version: _, updatedAt: __, ...rest } = await task.status();
    return rest;
  };
  const before = await look();
  for (const operator of OPERATORS) {
    // What types forbid, requests bring.
    const text = operator as string;
    const refused = { code: expect.stringMatching(/^(VALIDATION_FAILED|INVALID_NAME)$/) };
    for (const field of TEXT_FIELDS) {
      await expect(app.tasks.list({ [field]: operator } as TaskQuery)).rejects.toMatchObject(refused);
    }
    for (const field of ["createdAfter", "createdBefore", "limit"] as const) {
      if (typeof operator !== "number")
        await expect(app.tasks.list({ [field]: operator } as TaskQuery)).rejects.toMatchObject(refused);
    }
    if (!Array.isArray(operator))
      await expect(app.tasks.list({ status: operator } as TaskQuery)).rejects.toMatchObject(refused);
    await expect(app.tasks.list({ status: [operator] } as TaskQuery)).rejects.toMatchObject(refused);
    await expect(app.tasks.get(text)).rejects.toMatchObject(refused);
    await expect(app.tasks.cancel(text)).rejects.toMatchObject(refused);
    await expect(app.tasks.replay(text)).rejects.toMatchObject(refused);
    await expect(app.submit(echo, 1, { id: text })).rejects.toMatchObject(refused);
    await expect(app.submit(echo, 1, { userId: text })).rejects.toMatchObject(refused);
    expect(() => app.task(echo, text)).toThrow(expect.objectContaining(refused));
  }
  expect((await app.tasks.list({ userId: '{"$gt":""}' })).items).toEqual([]);
  const unknown = { code: "VALIDATION_FAILED", message: expect.stringContaining("__proto__") };
  await expect(app.tasks.list({ ...JSON.parse('{"__proto__":{"userId":"bob"}}') })).rejects.toMatchObject(unknown);
  expect(await look()).toEqual(before);
});

onEachStore("a Last-Event-ID that is garbage, huge or beyond the run is refused", {}, async (stage) => {
  const app = await started(stage);
  const task = await app.submit(echo, "x", { id: "cursor" });
  await task.result({ timeoutMs: ENDED_MS });
  const last = (await collect(task.stream())).length;
  for (const id of ["x", "-1", "1.5", "1e3", "0x1", "9".repeat(30), "__proto__", '{"$gt":0}', String(last + 1)]) {
    const response = await ask(app, "cursor", { accept: "text/event-stream", "last-event-id": id });
    expect([id, response.status]).toEqual([id, 400]);
    expect(await response.json()).toMatchObject({ code: "CURSOR_INVALID" });
  }
  expect((await ask(app, "cursor", { accept: "text/event-stream", "last-event-id": String(last) })).status).toBe(204);
});
