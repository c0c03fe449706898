import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import { createTestApp } from "./index.ts";

const wait = defineTask("wait", { input: z.object({}) });

test("failNext leaves alone what does not fail at once: followers and subscriptions", async () => {
  const { app, advance, failNext } = createTestApp();
  app.handle(wait, () => {});
  const task = await app.submit(wait, {});
  failNext("eventStream");
  failNext("taskStateStore", 2);
  const result = task.result({ timeoutMs: 60_000 });
  const names: string[] = [];
  const following = app.start().then(async () => {
    for await (const entry of task.stream()) if ("name" in entry) names.push(entry.name);
  });
  await advance(30_000);
  expect(await result).toBeUndefined();
  await following;
  expect(names.at(-1)).toBe("lifecycle.completed");
  await app.stop();
});
