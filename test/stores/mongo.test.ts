import { casesFor } from "@intermodal/conformance";
import { describeBroker } from "../brokers/describe-broker.ts";
import { mongoHarness } from "./mongo-harness.ts";

const harness = mongoHarness;

await describeBroker({ kind: "mongo", harness }, casesFor(["taskStateStore", "eventStream", "scheduleStore"]), {
  atOnce: 4,
});
