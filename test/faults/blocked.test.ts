import { expect } from "vitest";
import { SHORT_LEASE_MS } from "./apps.ts";
import type { BlockedSettings, BlockedTold } from "./blocking-program.ts";
import { Child } from "./child.ts";
import { FULL, onEachBroker } from "./each-broker.ts";

const TASKS = FULL ? 8 : 2;
const LEASES = 3;

onEachBroker("handlers block the event loop for three leases", {}, async (stage) => {
  const shortLeases = !FULL;
  const settings: BlockedSettings = {
    ...stage.place,
    shortLeases,
    taskLeaseMs: shortLeases ? SHORT_LEASE_MS : undefined,
    tasks: TASKS,
    blockMs: LEASES * stage.leaseMs({ shortLeases }),
  };
  const program = new Child<BlockedTold>("./blocking-program.ts", settings);
  stage.atEnd(() => program.kill());
  await program.until(() => true);
  const { outcomes, starts, dead } = program.told[0] as BlockedTold;
  expect(outcomes).toEqual(Array.from({ length: TASKS }, () => ({ status: "COMPLETED", announced: ["completed"] })));
  expect(dead).toBe(0);
  expect(Math.max(...starts)).toBeLessThanOrEqual(3);
});
