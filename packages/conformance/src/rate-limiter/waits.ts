import { assert, equal } from "../assert.ts";
import { LONG_MS, limiterCase } from "./limiter.ts";

/** Clocks of clients and servers tick apart. */
const SLACK_MS = 20;
/** Long enough that even a slow store has answered some requests before half of it is over. */
const WINDOW_MS = 2_000;

export const waitsCases = [
  limiterCase(
    "wait",
    ["RL-2"],
    "who is refused is told when to ask again, and is given a permit then",
    async (t, limiter) => {
      const limit = { permits: 2, perMs: WINDOW_MS };
      const take = () => limiter.tryAcquire("k", limit);
      equal([await take(), await take()], [0, 0], "the permits");
      const wait = await take();
      assert(wait > limit.perMs / 2 && wait <= limit.perMs, `a wait within the window (${wait} ms)`);
      await t.sleep(wait / 2);
      const shorter = await take();
      assert(shorter > 0 && shorter <= wait, `still none half way (${shorter} ms of ${wait})`);
      await t.sleep(shorter + SLACK_MS);
      equal(await take(), 0, "after the wait");
    },
  ),

  limiterCase(
    "refusals-cost-nothing",
    ["RL-2"],
    "a refusal takes nothing: whoever asks in vain does not put off the next permit",
    async (t, limiter) => {
      const limit = { permits: 3, perMs: WINDOW_MS };
      const take = () => limiter.tryAcquire("k", limit);
      const begun = t.clock.now();
      for (let n = 0; n < 3; n++) equal(await take(), 0, "a permit");
      let latest = t.clock.now();
      for (let n = 0; n < 10; n++) {
        const wait = await take();
        const now = t.clock.now();
        if (now - begun < limit.perMs - SLACK_MS)
          assert(wait > 0 && wait <= limit.perMs, `a wait within the window (${wait} ms)`);
        // So slow that a permit was free again: it has been taken.
        if (wait === 0) {
          latest = now;
          break;
        }
        await t.sleep(20);
      }
      await t.sleep(Math.max(0, latest + limit.perMs + SLACK_MS - t.clock.now()));
      equal([await take(), await take(), await take()], [0, 0, 0], "all permits in the next window");
    },
  ),

  limiterCase(
    "limit-at-hand",
    ["RL-3"],
    "the limit that a request names is what counts for it",
    async (_t, limiter) => {
      const of = (permits: number) => limiter.tryAcquire("k", { permits, perMs: LONG_MS });
      equal(await of(1), 0, "one of one");
      assert((await of(1)) > 0, "a second of one");
      equal([await of(3), await of(3)], [0, 0], "a second and third of three");
      assert((await of(3)) > 0, "a fourth of three");
      assert((await limiter.tryAcquire("none", { permits: 0, perMs: LONG_MS })) > 0, "one of none");
    },
  ),
];
