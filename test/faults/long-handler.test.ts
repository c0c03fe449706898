import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { command, numbers } from "./contracts.ts";
import { FULL, onEachBroker } from "./each-broker.ts";

const MESSAGES = FULL ? 500 : 20;
const LEASES = 3;

onEachBroker("handlers wait for three times their lease", {}, async (stage) => {
  const shortLeases = !FULL;
  const leaseMs = stage.leaseMs({ shortLeases });
  const settings = { concurrency: MESSAGES / 2, shortLeases };
  const workers = await Promise.all([stage.actor(settings), stage.actor(settings)]);
  const app = await stage.app();
  const messages = numbers(MESSAGES);
  await Promise.all(messages.map((n) => app.send(command, { n, acts: [{ waitMs: LEASES * leaseMs }] })));
  const notes = (note: "started" | "handled") => workers.flatMap((worker) => worker.notes(note));
  await vi.waitFor(() => expect(notes("handled")).toHaveLength(MESSAGES), { timeout: (LEASES + 3) * leaseMs });
  await sleep(leaseMs);
  expect(
    notes("started")
      .map(({ n }) => n)
      .sort((a, b) => a - b),
  ).toEqual(messages);
  expect((await app.inspectQueue(command.queue)).ready).toBe(0);
});
