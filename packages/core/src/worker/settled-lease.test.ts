import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { MemoryAdapter } from "../memory/adapter.ts";
import { MemoryServer } from "../memory/server.ts";
import { sleep } from "../ports/clock.ts";
import { silentLogger } from "../ports/logger.ts";
import type { TaskStateStore } from "../ports/task-state-store.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";

const LEASE_MS = 900;
const work = defineTask("work", { input: z.number(), output: z.number() });

/** A worker whose store is slow where `change` says so; runs one task to its end. */
async function runOne(change: (store: TaskStateStore, clock: VirtualClock) => Partial<TaskStateStore>) {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { commandBus, eventBus, taskStateStore: store } = adapter;
  Object.assign(store, change(store, clock));
  const ports = { commandBus, eventBus, taskStateStore: store };
  const app = createApp({ name: "test", clock, logger: silentLogger, ports, taskLeaseMs: LEASE_MS });
  let signal: AbortSignal | undefined;
  app.handle(work, async (n, ctx) => {
    signal = ctx.signal;
    await sleep(clock, 10);
    return n;
  });
  await app.start();
  const task = await app.submit(work, 1);
  await clock.advance(10 * LEASE_MS);
  const { status } = await task.status();
  await app.stop({ timeoutMs: 0 });
  return { status, aborted: signal?.aborted };
}

test("a renewal while the answer to the settle is on its way is no sign of a loss", async () => {
  const outcome = await runOne((store, clock) => {
    const settle = store.settle.bind(store);
    return {
      async settle(settles) {
        const settled = await settle(settles);
        await sleep(clock, 3 * LEASE_MS);
        return settled;
      },
    };
  });
  expect(outcome).toEqual({ status: "COMPLETED", aborted: false });
});

test("a renewal that comes after the settle, though it was sent before, is no sign of a loss", async () => {
  const outcome = await runOne((store, clock) => {
    const renew = store.renew.bind(store);
    const settle = store.settle.bind(store);
    return {
      async renew(renewals) {
        await sleep(clock, LEASE_MS);
        return renew(renewals);
      },
      async settle(settles) {
        await sleep(clock, LEASE_MS / 2);
        const settled = await settle(settles);
        await sleep(clock, 2 * LEASE_MS);
        return settled;
      },
    };
  });
  expect(outcome).toEqual({ status: "COMPLETED", aborted: false });
});
