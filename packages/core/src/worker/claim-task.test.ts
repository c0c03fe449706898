import { expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../app/create-app.ts";
import { defineTask } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { silentLogger } from "../ports/logger.ts";
import { MemoryAdapter, MemoryServer, VirtualClock } from "../testing/index.ts";

const greet = defineTask("greet", { input: z.object({}) });

test("a store that answers no claim, and shows that none was granted, is left alone for a while each time", async () => {
  const clock = new VirtualClock();
  const adapter = new MemoryAdapter(new MemoryServer(clock), { namespace: "test", clock, logger: silentLogger });
  const { taskStateStore } = adapter;
  let claims = 0;
  let lost = true;
  const claim: typeof taskStateStore.claim = async (asks) => {
    claims++;
    if (lost) throw new IntermodalError("UNAVAILABLE", "over quota, perhaps", { unknown: true });
    return taskStateStore.claim(asks);
  };
  const forgetful = new Proxy(taskStateStore, {
    get(store, name) {
      const value: unknown = name === "claim" ? claim : Reflect.get(store, name);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
  const app = createApp({
    name: "test",
    clock,
    logger: silentLogger,
    ports: { ...adapter, taskStateStore: forgetful },
  });
  app.handle(greet, () => {});
  await app.start();
  const task = await app.submit(greet, {});
  await clock.advance(60_000);
  expect(claims).toBeGreaterThan(3);
  expect(claims).toBeLessThan(200);
  lost = false;
  await clock.advance(10_000);
  expect(await task.status()).toMatchObject({ status: "COMPLETED", attempts: 1 });
  await app.stop();
});
