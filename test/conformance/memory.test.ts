import { cases } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { memoryHarness } from "./memory-harness.ts";

describeConformance(memoryHarness({ size: "full" }), cases);
