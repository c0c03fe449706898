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
