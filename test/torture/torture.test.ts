import { describe, expect, type TestContext, test } from "vitest";
import { whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { type Broker, randomSeed, type TortureOptions } from "./options.ts";
import { printed } from "./summary.ts";
import { ServerNotOursError, torture } from "./torture.ts";

const TIMEOUT_MS = 180_000;

/** A run that is small enough for every day. Its seed is in what it prints: `npm run torture -- <broker> --seed N …` repeats its faults. */
async function run(options: Omit<TortureOptions, "seed" | "downMs">, t: TestContext): Promise<void> {
  const missing = await whyMissing(options.broker);
  skipWithout(missing, t);
  const lines: string[] = [];
  const downMs = { min: 200, max: 1_000 };
  try {
    const summary = await torture({ ...options, seed: randomSeed(), downMs }, { say: (line) => lines.push(line) });
    console.log(printed(summary));
    expect(summary.problems, lines.join("\n")).toEqual([]);
  } catch (error) {
    if (error instanceof ServerNotOursError) t.skip(error.message);
    throw error;
  }
}

describe.each<[Broker, number | undefined]>([
  ["nats", 2_000],
  ["rabbit", undefined],
])("%s", (broker, leaseMs) => {
  // Beside each other, since most of their time is waiting: for a broker that is away, for what killed workers held.
  const options = { concurrent: true, timeout: TIMEOUT_MS };

  test("commands, while workers and the broker are killed: all accounted for", options, (t) =>
    run({ broker, kind: "commands", messages: 10_000, processes: 4, kills: 4, restarts: 2, leaseMs }, t),
  );

  test("events, while the broker is killed: each listener gets all, its replicas share them", options, (t) =>
    run({ broker, kind: "events", messages: 1_000, processes: 2, kills: 0, restarts: 1, leaseMs }, t),
  );
});
