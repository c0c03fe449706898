import { expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { ServerClock } from "./server-clock.ts";

const AHEAD_MS = 5_000;

function open() {
  const local = new VirtualClock();
  const clock = new ServerClock(local);
  const serverNow = () => local.now() + AHEAD_MS;
  /** An answer that took so long to come back. */
  const answer = async (backMs: number) => {
    const now = serverNow();
    await local.advance(backMs);
    clock.learn(now);
  };
  return { local, clock, serverNow, answer };
}

test("nothing is told before anything was heard, nor long after", async () => {
  const { local, clock, answer } = open();
  expect(clock.now()).toBeUndefined();
  await answer(1);
  expect(clock.now()).toBeDefined();
  await local.advance(10_001);
  expect(clock.now()).toBeUndefined();
});

test("it is never ahead of the server's clock, nor does it go back, however late an answer is seen; the quickest counts", async () => {
  const { local, clock, serverNow, answer } = open();
  let latest = 0;
  for (const backMs of [400, 2, 90, 0, 700]) {
    await answer(backMs);
    await local.advance(7);
    const now = clock.now() ?? 0;
    expect(now).toBeLessThanOrEqual(serverNow());
    expect(now).toBeGreaterThanOrEqual(latest);
    latest = now;
  }
  expect(clock.now()).toBe(serverNow());
});

test("an old best answer gives way, since clocks drift", async () => {
  const { local, clock, serverNow, answer } = open();
  await answer(0);
  await local.advance(9_000);
  await answer(5);
  await local.advance(2_000);
  await answer(8);
  expect(clock.now()).toBe(serverNow() - 8);
});
