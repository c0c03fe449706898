import { describeLifecycle } from "./describe-lifecycle.ts";

await describeLifecycle("nats", "redis");
