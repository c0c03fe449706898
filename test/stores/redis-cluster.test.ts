import type { ConformanceCase } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { afterAll, describe, test, vi } from "vitest";
import { LIMIT_MS, SIZE } from "../brokers/describe-broker.ts";
import { startRedisCluster, whyNoCluster } from "../servers/redis-cluster.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { CASES } from "./redis-cases.ts";
import { redisClusterHarness } from "./redis-harness.ts";

/** A cluster is slow to start: the cases that stop it take turns on the same one, after the others. */
const stopsServer = ({ needs }: ConformanceCase) => needs?.includes("stop") ?? false;

const missing = await whyNoCluster("redis");
vi.setConfig({ maxConcurrency: 6 });

if (missing !== undefined) test("redis cluster", (t) => skipWithout(missing, t));
else {
  const cluster = await startRedisCluster("redis");
  describe("redis cluster", () => {
    afterAll(() => cluster.close());
    for (const { cases, options } of CASES) {
      const harness = redisClusterHarness(cluster, SIZE, options);
      const together = cases.filter((testCase) => !stopsServer(testCase));
      describeConformance(harness, together, { concurrent: true, limitMs: LIMIT_MS });
    }
    const stops = CASES.flatMap(({ cases }) => cases.filter(stopsServer));
    describeConformance({ ...redisClusterHarness(cluster, SIZE), name: "stopped and started, it" }, stops, {
      limitMs: LIMIT_MS,
    });
  });
}
