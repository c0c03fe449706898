import { lifecycleCases } from "@intermodal/conformance";
import { describeBroker } from "./describe-broker.ts";
import { natsHarness } from "./nats-harness.ts";
import { withMemoryStores } from "./with-memory-stores.ts";

await describeBroker(
  { kind: "nats", harness: (server, size) => withMemoryStores(natsHarness(server, size)) },
  lifecycleCases,
  { atOnce: 20 },
);
