import { assert, equal } from "../assert.ts";
import { HOSTILE_TEXTS } from "../task-state-store/hostile-values.ts";
import { LONG_MS, limiterCase, openLimiter } from "./limiter.ts";

const ONE = { permits: 1, perMs: LONG_MS };

export const apartCases = [
  limiterCase("hostile-keys", ["RL-3"], "keys are apart, whatever characters they have", async (_t, limiter) => {
    const keys = [...HOSTILE_TEXTS, "", "\ud800", "\udfff"];
    for (const key of keys) equal(await limiter.tryAcquire(key, ONE), 0, `the permit of ${JSON.stringify(key)}`);
    for (const key of keys) assert((await limiter.tryAcquire(key, ONE)) > 0, `a second of ${JSON.stringify(key)}`);
  }),

  limiterCase("namespaces", ["RL-3"], "namespaces are apart", async (t, limiter) => {
    equal(await limiter.tryAcquire("k", ONE), 0, "the permit");
    for (const suffix of ["x", "-x", ".x"]) {
      const other = await openLimiter(t, { namespace: `${t.namespace}${suffix}` });
      equal(await other.tryAcquire("k", ONE), 0, "the permit of the same key elsewhere");
    }
    assert((await limiter.tryAcquire("k", ONE)) > 0, "a second");
  }),
];
