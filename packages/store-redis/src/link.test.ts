import { Cluster } from "ioredis";
import { expect, test } from "vitest";
import { adopt } from "./link.ts";

test("a host's cluster may be adopted any number of times", async () => {
  const client = new Cluster([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true });
  client.status = "ready";
  client.info = async () => "redis_version:7.0.0\r\n";
  await adopt(client);
  const listeners = client.listenerCount("+node");
  for (let times = 0; times < 5; times++) await adopt(client);
  expect([client.listenerCount("+node"), listeners]).toEqual([listeners, expect.any(Number)]);
});
