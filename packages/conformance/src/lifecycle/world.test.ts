import { silentLogger } from "@intermodal/core";
import type { Adapter } from "@intermodal/core/ports";
import { MemoryAdapter, MemoryServer, VirtualClock } from "@intermodal/core/testing";
import { expect, test } from "vitest";
import type { CaseContext } from "../case.ts";
import { CrashPoints } from "./crash-points.ts";
import { SWEEP_MS, World } from "./world.ts";

test("a process that is ended with its case cannot die meanwhile, and wait for itself", async () => {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const open = async (): Promise<Adapter> =>
    new MemoryAdapter(server, { namespace: "test", clock, logger: silentLogger });
  const kill = () => Promise.resolve();
  const t = { namespace: "test", clock, open, faults: { kill }, waitsFor: () => () => {} } as unknown as CaseContext;
  const world = new World(t);
  const process = await world.worker(() => {});
  const swept = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const points = new CrashPoints(process, 2);
  const { around } = process.switched;
  process.switched.around = (call, run) =>
    around(call, async () => {
      swept.resolve();
      await answer.promise;
      return run();
    });
  await clock.advance(2 * SWEEP_MS);
  await swept.promise;
  const ended = world.close();
  answer.resolve();
  await clock.advance(60_000);
  await ended;
  expect(points.struck).toBe(true);
});
