import { expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Deadlines } from "./deadlines.ts";

const never = new Promise<never>(() => {});

/** Deadlines of a second. */
function deadlines() {
  const time = new VirtualClock();
  return { bounds: new Deadlines(time, 1_000, true), time };
}

/** What has become of each, by name, in that order. */
function outcomes(calls: Readonly<Record<string, Promise<unknown>>>) {
  const seen: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    call.then(
      (value) => seen.push(`${name}: ${value}`),
      (error: { code: string }) => seen.push(`${name}: ${error.code}`),
    );
  }
  return seen;
}

test("a call settles as its answer does, or is UNAVAILABLE when that takes too long", async () => {
  const { bounds, time } = deadlines();
  const seen = outcomes({
    answered: bounds.bound("get", Promise.resolve("answer")),
    refused: bounds.bound("get", Promise.reject(Object.assign(new Error("no"), { code: "CONFLICT" }))),
    slow: bounds.bound("get", never),
  });
  await time.advance(900);
  expect(seen).toEqual(["answered: answer", "refused: CONFLICT"]);
  await time.advance(200);
  expect(seen).toEqual(["answered: answer", "refused: CONFLICT", "slow: UNAVAILABLE"]);
  expect(time.nextTimerAt()).toBeUndefined();
});

test("a clock that is set back lets a call wait for at most its time from then on, and fails none early", async () => {
  const { bounds, time } = deadlines();
  const before = outcomes({ before: bounds.bound("get", never) });
  await time.advance(500);
  time.setBack(60_000);
  const after = outcomes({ after: bounds.bound("get", never) });
  await time.advance(900);
  // That the clock was set is no reason to fail early either.
  expect([...before, ...after]).toEqual([]);
  await time.advance(300);
  expect([...before, ...after]).toEqual(["before: UNAVAILABLE", "after: UNAVAILABLE"]);
  expect(time.nextTimerAt()).toBeUndefined();
});
