import { describeBroker, SIZE } from "../brokers/describe-broker.ts";
import { CASES } from "./redis-cases.ts";
import { redisHarness } from "./redis-harness.ts";

/** In an ordinary run: what rests on scripts, streams, expiry and subscriptions, where versions differ. */
const DIFFERENT =
  /\/(one-winner|lease-expiry|settle-once|list-pages|recover-reasons|changes|append-once|resume|cap|hand-over|live|finished-expires|unfinished-expires|due-in-time|every-window|lease-ends|hostile-.*)$/;

for (const { cases, options } of CASES) {
  const chosen = cases.filter(({ id }) => SIZE === "full" || DIFFERENT.test(id));
  const harness: typeof redisHarness = (server, size) => redisHarness(server, size, options);
  await describeBroker({ kind: "redis", version: "7.0", harness }, chosen, { atOnce: 10 });
}
