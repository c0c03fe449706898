import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import type { Ports } from "../app/runtime.ts";
import { defineEvent, defineTask, fixed } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";

const retry = { maxAttempts: 1, backoff: fixed(0) };
const task = defineTask("task", { input: z.object({}), retry });
const event = defineEvent("event");

/** Before `stop()` has returned, and after. */
const LATE_MS = [500, 5_000];

/** Apps over one server, whose ports `change` may change. */
function cluster() {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const app = (change: (adapter: MemoryAdapter) => Partial<Ports> = () => ({})) => {
    const adapter = new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
    const ports = { ...adapter, ...change(adapter) };
    return createApp({ name: "service", namespace: "test", clock, logger: silentLogger, ports });
  };
  return { clock, app };
}

/** A port one of whose methods has its effect, but is answered only after `gate`. */
function answersAfter<Port extends object>(gate: Promise<unknown>, port: Port, method: keyof Port): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== method) return value.bind(target);
      return async (...asks: unknown[]) => {
        const answer: unknown = await value.apply(target, asks);
        await gate;
        return answer;
      };
    },
  });
}

test.each(LATE_MS)("a task whose claim is answered %i ms after the drain is handed back, uncounted", async (lateMs) => {
  const { clock, app } = cluster();
  const gate = Promise.withResolvers<void>();
  const first = app(({ taskStateStore }) => ({
    taskStateStore: answersAfter(gate.promise, taskStateStore, "claim"),
  }));
  const ran: string[] = [];
  first.handle(task, () => void ran.push("first"));
  first.lifecycle.on("started", () => void ran.push("told"));
  await first.start();
  const { id } = await first.submit(task, {});
  await clock.advance(100);
  const stopped = first.stop({ timeoutMs: 0 });
  await clock.advance(lateMs);
  gate.resolve();
  await clock.advance(1_000);
  expect(await stopped).toEqual({ unfinished: [] });
  expect(ran).toEqual([]);

  const second = app();
  expect(await second.tasks.get(id)).toMatchObject({ status: "QUEUED", attempts: 0 });
  second.handle(task, () => void ran.push("second"));
  await second.start();
  await clock.advance(1_000);
  expect(ran).toEqual(["second"]);
  expect(await second.tasks.get(id)).toMatchObject({ status: "COMPLETED", attempts: 1 });
  await second.stop();
});

test.each(LATE_MS)("an event that the inbox gives %i ms after the drain is handed back, uncounted", async (lateMs) => {
  const { clock, app } = cluster();
  const gate = Promise.withResolvers<void>();
  const first = app(({ inbox }) => ({ inbox: answersAfter(gate.promise, inbox, "reserve") }));
  const heard: string[] = [];
  first.on(event, { listener: "l", retry }, (_, ctx) => void heard.push(`first ${ctx.attempt}`));
  await first.start();
  await first.publish(event, {});
  await clock.advance(100);
  const stopped = first.stop({ timeoutMs: 0 });
  await clock.advance(lateMs);
  gate.resolve();
  await clock.advance(1_000);
  expect(await stopped).toEqual({ unfinished: [] });
  expect(heard).toEqual([]);

  const second = app();
  second.on(event, { listener: "l", retry }, (_, ctx) => void heard.push(`second ${ctx.attempt}`));
  await second.start();
  await clock.advance(1_000);
  expect(heard).toEqual(["second 1"]);
  await second.stop();
});

test("an event whose inbox is closed before it answers is handed back, uncounted", async () => {
  const { clock, app } = cluster();
  const gate = Promise.withResolvers<void>();
  const first = app(({ inbox }) => ({ inbox: answersAfter(gate.promise, inbox, "reserve") }));
  first.on(event, { listener: "l", retry }, () => {});
  await first.start();
  await first.publish(event, {});
  await clock.advance(100);
  gate.reject(new IntermodalError("CLOSED", "closed"));
  const stopped = first.stop({ timeoutMs: 0 });
  await clock.advance(5_000);
  await stopped;

  const second = app();
  const attempts: number[] = [];
  second.on(event, { listener: "l", retry }, (_, ctx) => void attempts.push(ctx.attempt));
  await second.start();
  await clock.advance(600_000);
  expect(attempts).toEqual([1]);
  await second.stop();
});
