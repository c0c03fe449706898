import { lifecycleCases } from "@intermodal/conformance";
import { describeBroker } from "./describe-broker.ts";
import { rabbitHarness } from "./rabbit-harness.ts";
import { withMemoryStores } from "./with-memory-stores.ts";

await describeBroker(
  { kind: "rabbit", harness: (server, size) => withMemoryStores(rabbitHarness(server, size)) },
  lifecycleCases,
  { atOnce: 10 },
);
