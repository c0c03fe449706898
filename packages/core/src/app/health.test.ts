import { expect, test } from "vitest";
import { z } from "zod";
import { defineEvent, defineTask } from "../contracts/index.ts";
import { memory } from "../memory/index.ts";
import type { Adapter, AdapterFactory } from "../ports/adapter.ts";
import { silentLogger } from "../ports/logger.ts";
import { createTestApp } from "../testing/index.ts";
import { createApp } from "./create-app.ts";

const noop = defineTask("noop", { input: z.object({}) });
const happened = defineEvent("happened");

test("health() tells the app's state, its adapters and its listeners", async () => {
  const app = createApp({ name: "a", url: "memory:", logger: silentLogger });
  app.on(happened, { listener: "l" }, () => {});
  expect(await app.health()).toEqual({
    state: "created",
    adapters: [],
    listeners: { l: { handled: 0, skipped: 0, missed: 0 } },
    lostRunEvents: 0,
  });
  await app.start();
  expect(await app.health()).toMatchObject({ state: "started", adapters: [{ name: "memory", connected: true }] });
  await app.stop();
  expect(await app.health()).toMatchObject({ state: "stopped" });
});

test("an adapter that cannot even say how it is counts as not connected, without credentials", async () => {
  const inner = memory();
  const broken: AdapterFactory = {
    ...inner,
    schemes: ["broken"],
    create: (context) => {
      const adapter = inner.create({ ...context, url: "memory:" });
      const health: Adapter["health"] = () => Promise.reject(new Error("no answer from broken://joe:secret@host"));
      return new Proxy(adapter, {
        get(target, property) {
          const value: unknown = property === "health" ? health : Reflect.get(target, property);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
  const app = createApp({ name: "a", adapters: [broken], url: "broken://joe:secret@host", logger: silentLogger });
  await app.connect();
  const { adapters } = await app.health();
  expect(adapters).toEqual([{ name: "memory", connected: false, detail: "no answer from broken://***@host" }]);
  await app.stop();
});

test("run events that are lost are counted, and cost no task (B7)", async () => {
  const { app, advance, failNext } = createTestApp();
  app.handle(noop, (_, ctx) => {
    for (let n = 0; n < 10_050; n++) ctx.emit("tick", n);
  });
  await app.start();
  failNext("eventStream", 1_000_000);
  const task = await app.submit(noop, {});
  await advance(30_000);
  expect((await task.status()).status).toBe("COMPLETED");
  expect((await app.health()).lostRunEvents).toBeGreaterThanOrEqual(50);
  const answer = await app.runStreamHandler()(new Request(`http://host/runs/${task.id}/events`));
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).not.toBeNull();
  failNext("eventStream", 0);
  await advance(60_000);
  await app.stop();
});
