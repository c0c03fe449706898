import { casesFor } from "@intermodal/conformance";
import { describeBroker } from "./describe-broker.ts";
import { rabbitHarness } from "./rabbit-harness.ts";

const harness = rabbitHarness;

await describeBroker({ kind: "rabbit", harness }, casesFor(["commandBus", "eventBus"]), { atOnce: 10 });
