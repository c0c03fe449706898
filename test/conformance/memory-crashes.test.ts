import { lifecycleCases } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { isCrash } from "./crashes.ts";
import { memoryHarness } from "./memory-harness.ts";

describeConformance(memoryHarness({ size: "full" }), lifecycleCases.filter(isCrash));
