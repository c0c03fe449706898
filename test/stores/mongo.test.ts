import { casesFor } from "@intermodal/conformance";
import { describeBroker } from "../brokers/describe-broker.ts";
import type { Server } from "../servers/index.ts";
import { mongoHarness } from "./mongo-harness.ts";

const cases = casesFor(["taskStateStore", "eventStream", "scheduleStore", "inbox"]);
const isExpiry = (id: string) => id === "event-stream/unfinished-expires";

/** Streams that are never finished go soon: for the cases that wait for it, and for no others. */
const shortLived: typeof mongoHarness = (server: Server, size) =>
  mongoHarness(server, size, { streamSafetyTtlMs: 2_000 });

await describeBroker(
  { kind: "mongo", harness: mongoHarness },
  cases.filter(({ id }) => !isExpiry(id)),
  { atOnce: 4 },
);
await describeBroker(
  { kind: "mongo", harness: shortLived },
  cases.filter(({ id }) => isExpiry(id)),
  { atOnce: 4 },
);
