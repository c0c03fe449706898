import { expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { ServerClock } from "./server-clock.ts";

const AHEAD_MS = 5_000;

function open() {
  const local = new VirtualClock();
  const clock = new ServerClock(local);
  const serverNow = () => local.now() + AHEAD_MS;
  /** An answer that took so long there, and back. */
  const answer = async (thereMs: number, backMs: number) => {
    const askedAt = local.now();
    await local.advance(thereMs);
    const now = serverNow();
    await local.advance(backMs);
    clock.learn(now, askedAt);
  };
  return { local, clock, serverNow, answer };
}

test("nothing is told before anything was heard, nor long after", async () => {
  const { local, clock, answer } = open();
  expect(clock.now()).toBeUndefined();
  await answer(1, 1);
  expect(clock.now()).toBeDefined();
  await local.advance(10_001);
  expect(clock.now()).toBeUndefined();
});

test("it is never behind the server's clock, however late an answer is seen, and the quickest answer counts", async () => {
  const { local, clock, serverNow, answer } = open();
  for (const [there, back] of [
    [3, 400],
    [90, 2],
    [0, 0],
    [40, 700],
  ] as const) {
    await answer(there, back);
    await local.advance(7);
    expect(clock.now()).toBeGreaterThanOrEqual(serverNow());
  }
  expect(clock.now()).toBeLessThanOrEqual(serverNow() + 1);
});

test("an old best answer gives way, since clocks drift", async () => {
  const { local, clock, serverNow, answer } = open();
  await answer(0, 0);
  await local.advance(9_000);
  await answer(5, 5);
  await local.advance(2_000);
  await answer(8, 1);
  expect(clock.now()).toBe(serverNow() + 9);
});
