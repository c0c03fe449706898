import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { SHORT_LEASE_MS } from "./apps.ts";
import type { BlockedSettings, BlockedTold } from "./blocking-program.ts";
import { Child } from "./child.ts";
import { command, numbers } from "./contracts.ts";
import { FULL, onEachBroker } from "./each-broker.ts";

const MESSAGES = FULL ? 500 : 20;
const TASKS = FULL ? 8 : 2;
const LEASES = 3;
const shortLeases = !FULL;

onEachBroker("handlers wait for three times their lease", {}, async (stage) => {
  const leaseMs = stage.leaseMs({ shortLeases });
  const settings = { concurrency: MESSAGES / 2, shortLeases };
  const workers = await Promise.all([stage.actor(settings), stage.actor(settings)]);
  const app = await stage.app();
  const messages = numbers(MESSAGES);
  await Promise.all(messages.map((n) => app.send(command, { n, acts: [{ waitMs: LEASES * leaseMs }] })));
  const notes = (note: "started" | "handled") => workers.flatMap((worker) => worker.notes(note));
  await vi.waitFor(() => expect(notes("handled")).toHaveLength(MESSAGES), { timeout: (LEASES + 3) * leaseMs });
  // What had been lost would come again meanwhile.
  await sleep(leaseMs);
  const started = notes("started").map(({ n }) => n);
  expect(started.sort((a, b) => a - b)).toEqual(messages);
  expect((await app.inspectQueue(command.queue)).ready).toBe(0);
});

onEachBroker("handlers block the event loop for three leases", {}, async (stage) => {
  const leaseMs = stage.leaseMs({ shortLeases });
  const settings: BlockedSettings = {
    ...stage.place,
    shortLeases,
    taskLeaseMs: shortLeases ? SHORT_LEASE_MS : undefined,
    tasks: TASKS,
    leaseMs,
    blockMs: LEASES * leaseMs,
  };
  const program = new Child<BlockedTold>(new URL("./blocking-program.ts", import.meta.url), settings);
  stage.atEnd(() => program.kill());
  await program.until(() => true);
  const { outcomes, starts, dead } = program.told[0] as BlockedTold;
  expect(outcomes).toEqual(Array.from({ length: TASKS }, () => ({ status: "COMPLETED", announced: ["completed"] })));
  expect(dead).toBe(0);
  expect(Math.max(...starts)).toBeLessThanOrEqual(3);
});
