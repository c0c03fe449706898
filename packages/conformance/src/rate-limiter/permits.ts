import { assert, equal } from "../assert.ts";
import { LONG_MS, limiterCase, openLimiter } from "./limiter.ts";

/** Clocks of clients and servers tick apart. */
const SLACK_MS = 20;

export const permitsCases = [
  limiterCase(
    "one-permit-each",
    ["RL-1"],
    "of simultaneous requests of many clients as many are given as there are permits",
    async (t, limiter) => {
      const limiters = [limiter, ...(await Promise.all(Array.from({ length: 4 }, () => openLimiter(t))))];
      for (let round = 0; round < t.size(50, 10); round++) {
        const limit = { permits: 1 + (round % 7), perMs: LONG_MS };
        const answers = await Promise.all(
          limiters.flatMap((one) => Array.from({ length: 4 }, () => one.tryAcquire(`k${round}`, limit))),
        );
        equal(answers.filter((wait) => wait === 0).length, limit.permits, `permits given in round ${round}`);
      }
    },
  ),

  limiterCase(
    "every-window",
    ["RL-1"],
    "no window of any position holds more than its permits, also where bursts fall across its boundary",
    async (t, limiter) => {
      const limit = { permits: 5, perMs: 1_000 };
      const take = () => limiter.tryAcquire("k", limit);
      equal(await take(), 0, "the first permit");
      await t.sleep(700);
      equal(await Promise.all(Array.from({ length: 4 }, take)), [0, 0, 0, 0], "the others, late in its window");
      await t.sleep(350);
      const answers = await Promise.all(Array.from({ length: 5 }, take));
      equal(answers.filter((wait) => wait === 0).length, 1, "only the first is free again");
    },
  ),

  limiterCase(
    "longer-window",
    ["RL-1"],
    "what is given out counts in each window that is asked for, whoever asks for shorter ones meanwhile",
    async (t, limiter) => {
      const inLong = () => limiter.tryAcquire("k", { permits: 6, perMs: LONG_MS });
      const inShort = () => limiter.tryAcquire("k", { permits: 1_000, perMs: 20 });
      equal(await inLong(), 0, "the first permit");
      for (let n = 0; n < 4; n++) {
        equal(await inShort(), 0, "one for a shorter window");
        await t.sleep(50);
      }
      equal(await inLong(), 0, "the sixth");
      assert((await inLong()) > 0, "a seventh in the long window");
    },
  ),

  limiterCase(
    "sliding",
    ["RL-1", "RL-2"],
    "many clients that keep asking get all of the permits and never too many",
    async (t, limiter) => {
      const limiters = [limiter, ...(await Promise.all(Array.from({ length: 2 }, () => openLimiter(t))))];
      const limit = { permits: 5, perMs: 200 };
      const before: number[] = [];
      const after: number[] = [];
      const started = t.clock.now();
      const untilMs = started + t.size(10_000, 1_500);
      await Promise.all(
        limiters.map(async (one, client) => {
          for (let turn = 0; t.clock.now() < untilMs; turn++) {
            const asked = t.clock.now();
            const wait = await one.tryAcquire("k", limit);
            if (wait === 0) {
              before.push(asked);
              after.push(t.clock.now());
            }
            // Bursts and pauses that fall across every boundary.
            await t.sleep(wait === 0 ? (turn * 3 + client) % 5 : Math.min(wait, 1 + ((turn + client) % 30)));
          }
        }),
      );
      // When each was given is known between two times only; the order of both is that of the permits.
      for (const times of [before, after]) times.sort((a, b) => a - b);
      for (const [at, given] of before.entries()) {
        const next = after[at + limit.permits];
        assert(
          next === undefined || next - given >= limit.perMs - SLACK_MS,
          `${limit.permits + 1} permits within ${(next ?? 0) - given} ms`,
        );
      }
      const windows = (t.clock.now() - started) / limit.perMs;
      assert(
        before.length >= windows * limit.permits * 0.5,
        `permits are given out (${before.length} in ${windows} windows)`,
      );
    },
  ),
];
