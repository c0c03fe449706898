import { describe, expect, test } from "vitest";
import { whyMissing } from "../servers/index.ts";
import { type Broker, randomSeed, type TortureOptions } from "./options.ts";
import { printed } from "./summary.ts";
import { torture } from "./torture.ts";

const TIMEOUT_MS = 150_000;

/** A run that is small enough for every day. Its seed is in what it prints: `npm run torture -- <broker> --seed N` repeats its faults. */
async function run(options: Omit<TortureOptions, "seed" | "downMs">): Promise<void> {
  const lines: string[] = [];
  const seed = randomSeed();
  const summary = await torture(
    { ...options, seed, downMs: { min: 200, max: 1_000 } },
    { say: (line) => lines.push(line) },
  );
  console.log(printed(summary));
  expect(summary.problems, lines.join("\n")).toEqual([]);
}

describe.each<[Broker, number | undefined]>([
  ["nats", 2_000],
  ["rabbit", undefined],
])("%s", async (broker, leaseMs) => {
  const missing = await whyMissing(broker);

  test("commands, while workers and the broker are killed: all accounted for", {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    if (missing !== undefined && process.env.CI === undefined) context.skip(missing);
    await run({ broker, kind: "commands", messages: 10_000, processes: 4, kills: 4, restarts: 2, leaseMs });
  });

  test("events, while the broker is killed: each listener gets all, its replicas share them", {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    if (missing !== undefined && process.env.CI === undefined) context.skip(missing);
    await run({ broker, kind: "events", messages: 1_000, processes: 2, kills: 0, restarts: 1, leaseMs });
  });
});
