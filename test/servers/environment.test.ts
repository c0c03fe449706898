import { afterEach, expect, it, vi } from "vitest";
import { startServer, whyMissing } from "./index.ts";

afterEach(() => vi.unstubAllEnvs());

it("a server of the environment is used as it is", async ({ skip }) => {
  const missing = await whyMissing("redis");
  if (missing !== undefined && !process.env.CI) skip(missing);
  const own = await startServer("redis", { password: "secret" });
  vi.stubEnv("INTERMODAL_TEST_REDIS_URL", own.url);
  const given = await startServer("redis");
  expect(given).toMatchObject({
    kind: "redis",
    version: own.version,
    url: own.url,
    port: own.port,
    restartable: false,
  });
  await expect(given.kill()).rejects.toThrow("the redis server of INTERMODAL_TEST_REDIS_URL is not ours to kill");
  await given.close();

  const special = await startServer("redis", { args: ["--maxclients", "10"] });
  expect(special.port).not.toBe(own.port);
  await Promise.all([special.close(), own.close()]);
});

it("that does not answer is missing, whatever else there is", async () => {
  vi.stubEnv("INTERMODAL_TEST_NATS_URL", "nats://127.0.0.1:1");
  await expect(startServer("nats")).rejects.toThrow("ECONNREFUSED");
});
