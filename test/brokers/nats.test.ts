import { casesFor } from "@intermodal/conformance";
import { describeBroker } from "./describe-broker.ts";
import { natsHarness } from "./nats-harness.ts";

const harness = natsHarness;

await describeBroker({ kind: "nats", harness }, casesFor(["commandBus", "eventBus"]), { atOnce: 10 });
