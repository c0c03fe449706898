import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import type { Logger } from "../ports/logger.ts";
import { createTestApp } from "../testing/index.ts";

const hold = defineTask("hold", { input: z.object({}) });

test("a duty that an outage hinders is warned of once, not once per task", async () => {
  const lines: string[] = [];
  const log = (level: string) => (message: string) => void (message.startsWith("duty") && lines.push(level));
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const { app, advance, failNext } = createTestApp({ logger });
  let gate = Promise.withResolvers<void>();
  app.handle(hold, () => gate.promise);
  await app.start();
  /** Runs whose events are stored, and whose streams can't be ended. */
  const endInVain = async (runs: number) => {
    gate = Promise.withResolvers();
    for (let n = 0; n < runs; n++) await app.submit(hold, {});
    await advance(100);
    failNext("eventStream", Number.MAX_SAFE_INTEGER);
    gate.resolve();
    await advance(5_000);
    failNext("eventStream", 0);
  };
  await endInVain(5);
  expect(lines.toSorted()).toEqual(["debug", "debug", "debug", "debug", "warn"]);
  await advance(10_000);
  await app.submit(hold, {});
  await advance(5_000);
  await endInVain(1);
  expect(
    lines.filter((level) => level === "warn"),
    "of the next outage too",
  ).toHaveLength(2);
  await app.stop();
});

test("a run that ends while the store of its stream is away is seen to end as soon as that is back", async () => {
  const { app, advance, clock, failNext } = createTestApp();
  const gate = Promise.withResolvers<void>();
  const talk = defineTask("talk", { input: z.object({ word: z.string().optional() }) });
  app.handle(talk, async ({ word }, ctx) => {
    await gate.promise;
    if (word !== undefined) ctx.emit("word", { word });
  });
  await app.start();
  const tasks = [await app.submit(talk, { word: "hello" }), await app.submit(talk, {})];
  const seen = tasks.map(async (task) => {
    const names: string[] = [];
    for await (const entry of task.stream()) if ("name" in entry) names.push(entry.name);
    return { names, at: clock.now() };
  });
  await advance(100);
  failNext("eventStream", Number.MAX_SAFE_INTEGER);
  gate.resolve();
  await advance(5_000);
  failNext("eventStream", 0);
  const backAt = clock.now();
  await advance(120_000);
  const [told, silent] = await Promise.all(seen);
  expect([told?.names.slice(1), silent?.names.slice(1)]).toEqual([
    ["word", "lifecycle.completed"],
    ["lifecycle.completed"],
  ]);
  // The writer tries again within five seconds; the sweep would come after thirty.
  for (const { at } of [told, silent] as { at: number }[]) expect(at - backAt).toBeLessThan(6_000);
  await app.stop();
});
