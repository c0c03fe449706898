import { expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { FlushWaiters } from "./flush-waiters.ts";
import { StreamQueue } from "./stream-queue.ts";

/** Who has waited in vain, in that order. */
function waiters() {
  const clock = new VirtualClock();
  const waiting = new FlushWaiters(clock);
  const over: string[] = [];
  const wait = (name: string, ms: number) =>
    void waiting.wait(new StreamQueue(name, "w"), clock.now() + ms).then((outcome) => over.push(`${name}: ${outcome}`));
  return { clock, waiting, over, wait };
}

test("each waits until its own deadline, by one timer", async () => {
  const { clock, waiting, over, wait } = waiters();
  wait("long", 3_000);
  wait("short", 1_000);
  wait("middle", 2_000);
  await clock.advance(999);
  expect(over).toEqual([]);
  await clock.advance(1);
  expect(over).toEqual(["short: waiting"]);
  await clock.advance(1_000);
  expect(over).toEqual(["short: waiting", "middle: waiting"]);
  await clock.advance(1_000);
  expect(over).toEqual(["short: waiting", "middle: waiting", "long: waiting"]);
  expect([waiting.any, clock.nextTimerAt()]).toEqual([false, undefined]);
});

test("a clock that is set back lets nobody wait for longer than the longest from when that shows, and fails none early", async () => {
  const { clock, waiting, over, wait } = waiters();
  wait("first", 1_000);
  wait("second", 3_000);
  await clock.advance(500);
  clock.setBack(3_600_000);
  await clock.advance(499);
  expect(over).toEqual([]);
  await clock.advance(1);
  expect(over).toEqual(["first: waiting"]);
  wait("after", 1_500);
  await clock.advance(1_499);
  expect(over).toEqual(["first: waiting"]);
  await clock.advance(1);
  expect(over).toEqual(["first: waiting", "after: waiting"]);
  await clock.advance(1_500);
  expect(over).toEqual(["first: waiting", "after: waiting", "second: waiting"]);
  expect([waiting.any, clock.nextTimerAt()]).toEqual([false, undefined]);
});

test("those who come after the clock was set back don't hold up those who came before", async () => {
  const { clock, over, wait } = waiters();
  wait("before", 1_000);
  clock.setBack(3_600_000);
  for (let n = 0; n < 10; n++) {
    wait("after", 1_000);
    await clock.advance(500);
  }
  expect(over).toContain("before: waiting");
});
