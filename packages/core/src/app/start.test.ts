import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import { type ErrorCode, IntermodalError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";
import { createApp } from "./create-app.ts";

const task = defineTask("t", { input: z.object({}) });

/** An app with a schedule, the store of which fails. */
function withSchedule(code: ErrorCode) {
  const clock = new VirtualClock();
  const store = { code: code as ErrorCode | undefined };
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { commandBus, eventBus, taskStateStore } = adapter;
  const scheduleStore = withMethods(adapter.scheduleStore, {
    get(names) {
      if (store.code !== undefined) return Promise.reject(new IntermodalError(store.code, "the store says no"));
      return adapter.scheduleStore.get(names);
    },
  });
  const ports = { commandBus, eventBus, taskStateStore, scheduleStore };
  const app = createApp({ name: "a", namespace: "test", clock, logger: silentLogger, ports });
  app.handle(task, () => {});
  app.schedule(task, { name: "s", everyMs: 60_000, input: {} });
  const outcome = { of: "pending" };
  app.start().then(
    () => {
      outcome.of = "resolved";
    },
    (error: { code: string }) => {
      outcome.of = error.code;
    },
  );
  return { app, clock, store, outcome };
}

test("start() waits for a store of schedules that is away", async () => {
  const { app, clock, store, outcome } = withSchedule("UNAVAILABLE");
  await clock.advance(60_000);
  expect(outcome.of).toBe("pending");
  store.code = undefined;
  await clock.advance(60_000);
  expect(outcome.of).toBe("resolved");
  await app.stop();
});

test("start() rejects where the store of schedules lets nobody in", async () => {
  const { clock, outcome, app } = withSchedule("CONFIG_INVALID");
  await clock.advance(1_000);
  expect(outcome.of).toBe("CONFIG_INVALID");
  expect((await app.health()).state).toBe("stopped");
});

test("start() rejects when stop() comes while it waits", async () => {
  const { clock, outcome, app } = withSchedule("UNAVAILABLE");
  await clock.advance(1_000);
  const stopped = app.stop();
  await clock.advance(60_000);
  await stopped;
  expect(outcome.of).toBe("CLOSED");
});
