import { describeLifecycle } from "./describe-lifecycle.ts";

await describeLifecycle("memory", "valkey");
