import { describeBroker } from "../brokers/describe-broker.ts";
import { CASES } from "./redis-cases.ts";
import { redisHarness } from "./redis-harness.ts";

for (const kind of ["redis", "valkey"] as const)
  for (const { cases, options } of CASES)
    await describeBroker({ kind, harness: (server, size) => redisHarness(server, size, options) }, cases, {
      atOnce: 10,
    });
