import { casesFor } from "@intermodal/conformance";
import { describeBroker } from "../brokers/describe-broker.ts";
import type { Server } from "../servers/index.ts";
import { redisHarness } from "./redis-harness.ts";

const cases = casesFor(["eventStream", "scheduleStore", "rateLimiter", "inbox"]);
const isExpiry = (id: string) => id === "event-stream/unfinished-expires";

/** Streams that are never finished go soon: for the cases that wait for it, and for no others. */
const shortLived: typeof redisHarness = (server: Server, size) =>
  redisHarness(server, size, { streamSafetyTtlMs: 2_000 });

for (const kind of ["redis", "valkey"] as const) {
  await describeBroker(
    { kind, harness: redisHarness },
    cases.filter(({ id }) => !isExpiry(id)),
    { atOnce: 10 },
  );
  await describeBroker(
    { kind, harness: shortLived },
    cases.filter(({ id }) => isExpiry(id)),
    { atOnce: 10 },
  );
}
