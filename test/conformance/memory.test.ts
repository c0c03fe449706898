import { cases } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { memoryHarness } from "./memory-harness.ts";

const ports = cases.filter(({ subject }) => subject !== "lifecycle");

describeConformance(memoryHarness({ size: "full" }), ports);
