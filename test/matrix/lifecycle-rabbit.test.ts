import { describeLifecycle } from "./describe-lifecycle.ts";

await describeLifecycle("rabbit", "redis");
