import type { Harness } from "@intermodal/conformance";
import { natsHarness } from "../brokers/nats-harness.ts";
import { rabbitHarness } from "../brokers/rabbit-harness.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { startRedisCluster, whyNoCluster } from "../servers/redis-cluster.ts";
import { mongoHarness } from "../stores/mongo-harness.ts";
import { redisClusterHarness, redisHarness } from "../stores/redis-harness.ts";
import { memoryInRealTime } from "./memory.ts";
import type { BusName, StoreName } from "./names.ts";

/** A carrier that is up. */
export interface RunningCarrier {
  /** What an app is configured with. */
  readonly url: string;
  readonly harness: Harness;
  close(): Promise<void>;
}

const HARNESSES: Record<Exclude<BusName | StoreName, "memory" | "redis-cluster">, (server: Server) => Harness> = {
  nats: natsHarness,
  rabbit: rabbitHarness,
  redis: redisHarness,
  valkey: redisHarness,
  mongo: mongoHarness,
};

/** Why it can't be had here; `undefined` when it can. */
export async function whyNo(name: BusName | StoreName): Promise<string | undefined> {
  if (name === "memory") return undefined;
  return name === "redis-cluster" ? whyNoCluster("redis") : whyMissing(name);
}

export async function startCarrier(name: BusName | StoreName): Promise<RunningCarrier> {
  if (name === "memory") return { url: "memory:matrix", harness: memoryInRealTime(), close: async () => {} };
  if (name === "redis-cluster") {
    const cluster = await startRedisCluster();
    return { url: cluster.url, harness: redisClusterHarness(cluster), close: () => cluster.close() };
  }
  const server: Server = await startServer(name);
  return { url: server.url, harness: HARNESSES[name](server), close: () => server.close() };
}
