import { assert, equal, rejects } from "../assert.ts";
import { LONG_MS, limiterCase } from "./limiter.ts";

/** Longer than any store may let a caller wait. */
const BOUND_MS = 60_000;
const TWO = { permits: 2, perMs: LONG_MS };

export const unreachableCases = [
  limiterCase("closed", ["RL-4"], "after close it rejects with CLOSED, and other clients go on", async (t, limiter) => {
    const adapter = await t.open();
    equal(await adapter.rateLimiter?.tryAcquire("k", TWO), 0, "a permit");
    await adapter.close();
    await rejects("after close", "CLOSED", () => adapter.rateLimiter?.tryAcquire("k", TWO));
    equal(await limiter.tryAcquire("k", TWO), 0, "another client's permit");
    assert((await limiter.tryAcquire("k", TWO)) > 0, "a third");
  }),

  limiterCase(
    "unreachable",
    ["RL-4"],
    "while the store is away it rejects in a bounded time, and works again afterwards",
    async (t) => {
      const adapter = await t.open();
      const take = async () => adapter.rateLimiter?.tryAcquire("k", TWO);
      equal(await take(), 0, "a permit");
      await t.faults.cut(adapter);
      const started = t.clock.now();
      await rejects("while the store is away", "UNAVAILABLE", take);
      const took = t.clock.now() - started;
      assert(took <= BOUND_MS, `it rejects within ${BOUND_MS} ms (${took} ms)`);
      await t.faults.mend(adapter);
      const back = () =>
        take().then(
          (wait) => wait === 0,
          () => false,
        );
      await t.until("it gives permits again", back, { withinMs: 30_000 });
    },
    ["cut", "mend"],
  ),
];
