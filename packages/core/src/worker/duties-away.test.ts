import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import type { Logger } from "../ports/logger.ts";
import { createTestApp } from "../testing/index.ts";

const noop = defineTask("noop", { input: z.object({}) });

test("a duty that an outage hinders is warned of once, not once per task", async () => {
  const lines: string[] = [];
  const log = (level: string) => (message: string) => void (message.startsWith("duty") && lines.push(level));
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const { app, advance, failNext } = createTestApp({ logger });
  app.handle(noop, () => {});
  await app.start();
  failNext("eventStream", Number.MAX_SAFE_INTEGER);
  for (let n = 0; n < 5; n++) await app.submit(noop, {});
  await advance(5_000);
  expect(lines.toSorted()).toEqual(["debug", "debug", "debug", "debug", "warn"]);
  failNext("eventStream", 0);
  // What waited for the store is stored.
  await advance(10_000);
  await app.submit(noop, {});
  await advance(5_000);
  failNext("eventStream", Number.MAX_SAFE_INTEGER);
  await app.submit(noop, {});
  await advance(5_000);
  expect(
    lines.filter((level) => level === "warn"),
    "of the next outage too",
  ).toHaveLength(2);
  failNext("eventStream", 0);
  await advance(10_000);
  await app.stop();
});
