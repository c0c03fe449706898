import { casesFor } from "@intermodal/conformance";
import { describeBroker, SIZE } from "./describe-broker.ts";
import { natsHarness } from "./nats-harness.ts";
import { rabbitHarness } from "./rabbit-harness.ts";

/** In an ordinary run: where versions differ. */
const DIFFERENT =
  /\/(one-worker-each|attempts|retry-delayed|delayed-send|dead-letter-.*|dead-worker|close-hands-back|consumer-deleted|inspect|gap)$/;

const cases = casesFor(["commandBus", "eventBus"]).filter(({ id }) => SIZE === "full" || DIFFERENT.test(id));

await describeBroker({ kind: "nats", version: "2.10", harness: natsHarness }, cases, { atOnce: 10 });
await describeBroker({ kind: "rabbit", version: "3.10", harness: rabbitHarness }, cases, { atOnce: 10 });
