import { expect, test } from "vitest";
import type { TaskStore } from "../app/runtime.ts";
import { IntermodalError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { silentLogger } from "../ports/logger.ts";
import type { Renewal, RenewOutcome } from "../ports/task-state-store.ts";
import { VirtualClock } from "../testing/index.ts";
import { LeaseKeeper } from "./leases.ts";

/** A keeper of one lease over a store whose answers the test gives, by a clock that can be set back. */
function keeper() {
  const clock = new VirtualClock();
  let behindMs = 0;
  const own: Clock = {
    now: () => clock.now() - behindMs,
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
  };
  const setBack = (ms: number) => {
    behindMs += ms;
  };
  const calls: { readonly renewal: Renewal; readonly answer: PromiseWithResolvers<RenewOutcome> }[] = [];
  const store = {
    renew(renewal: Renewal) {
      const answer = Promise.withResolvers<RenewOutcome>();
      calls.push({ renewal, answer });
      return answer.promise;
    },
  } as unknown as TaskStore;
  const leases = new LeaseKeeper(store, { clock: own, logger: silentLogger }, 6_000);
  const lease = { id: "t", token: 1, expiresAt: clock.now() + 6_000, leaseMs: 6_000 };
  const told: string[] = [];
  const kept = leases.keep({
    lease,
    onLost: () => told.push("lost"),
    onCancelRequested: () => told.push("cancel"),
  });
  const held: RenewOutcome = { held: true, expiresAt: 0, cancelRequested: false };
  return { clock, setBack, calls, leases, kept, told, held };
}

const away = new IntermodalError("UNAVAILABLE", "away");

test("progress whose answer fails late never overwrites a later one", async () => {
  const { clock, calls, leases, kept, held } = keeper();
  leases.progress(kept, 1);
  await clock.advance(200);
  leases.progress(kept, 2);
  await clock.advance(200);
  expect(calls.map(({ renewal }) => renewal.progress)).toEqual([1, 2]);
  calls[1]?.answer.resolve(held);
  await clock.settle();
  calls[0]?.answer.reject(away);
  await clock.advance(6_000);
  expect(calls.slice(2).map(({ renewal }) => renewal.progress)).not.toContain(1);
});

test("progress that is not known to be stored goes with the settle", async () => {
  const { clock, calls, leases, kept } = keeper();
  leases.progress(kept, 99);
  await clock.advance(200);
  expect(calls).toHaveLength(1);
  expect(leases.takeProgress(kept)).toBe(99);
});

test("a lease is renewed before it runs out, again and again while the store is away, and never after its release", async () => {
  const { clock, calls, leases, kept, told, held } = keeper();
  await clock.advance(3_000);
  expect(calls).toHaveLength(1);
  calls[0]?.answer.reject(away);
  await clock.advance(1_000);
  expect(calls).toHaveLength(2);
  calls[1]?.answer.resolve(held);
  await clock.advance(3_000);
  expect(calls).toHaveLength(3);
  leases.release(kept);
  calls[2]?.answer.resolve({ held: false });
  await clock.advance(60_000);
  expect(calls).toHaveLength(3);
  expect(told).toEqual([]);
  expect(clock.nextTimerAt()).toBeUndefined();
});

test.each([1_500, 60_000])("a clock that is set back by %i ms lets no lease run out", async (ms) => {
  const { clock, setBack, calls, held } = keeper();
  await clock.advance(1_900);
  setBack(ms);
  const renewedAt = [clock.now() - 1_900];
  for (let tick = 0; tick < 200; tick++) {
    await clock.advance(100);
    for (const { answer } of calls.splice(0)) {
      renewedAt.push(clock.now());
      answer.resolve(held);
    }
  }
  const pauses = [...renewedAt, clock.now()].map((at, index, all) => at - (all[index - 1] ?? at));
  expect(Math.max(...pauses)).toBeLessThan(6_000);
  // Once set right, it is renewed no more often than before.
  expect(renewedAt.length).toBeLessThanOrEqual(12);
});
