import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineTask } from "../contracts/index.ts";
import { memory } from "../memory/index.ts";
import type { AdapterFactory } from "../ports/adapter.ts";
import { silentLogger } from "../ports/logger.ts";
import { createApp } from "./create-app.ts";
import type { AppOptions } from "./options.ts";

const double = defineTask("double", { input: z.number(), output: z.number() });

afterEach(() => vi.unstubAllEnvs());

/** Notes for which URLs and namespaces adapters were made. */
function noting(): { readonly adapters: readonly AdapterFactory[]; readonly made: string[] } {
  const made: string[] = [];
  const create: AdapterFactory["create"] = (context) => {
    made.push(`${context.url} ${context.namespace}`);
    return memory().create({ ...context, url: "memory:" });
  };
  return { adapters: [{ ...memory(), schemes: ["any"], create }], made };
}

async function made(options: Partial<AppOptions>): Promise<readonly string[]> {
  const { adapters, made } = noting();
  const app = createApp({ name: "a", logger: silentLogger, adapters, ...options });
  await app.connect();
  await app.stop();
  return made.sort();
}

test("each port can be named in the environment, without a URL for all", async () => {
  for (const place of ["COMMANDS", "EVENTS", "STATE", "STREAMS"]) vi.stubEnv(`INTERMODAL_${place}`, `any://${place}`);
  const urls = await made({});
  expect(urls).toEqual(["COMMANDS", "EVENTS", "STATE", "STREAMS"].map((place) => `any://${place} intermodal`));
});

test("what is named in the code wins over the same in the environment", async () => {
  vi.stubEnv("INTERMODAL_URL", "any://environment");
  vi.stubEnv("INTERMODAL_EVENTS", "any://events");
  vi.stubEnv("INTERMODAL_NAMESPACE", "staging");
  expect(await made({})).toEqual(["any://environment staging", "any://events staging"]);
  expect(await made({ url: "any://code", events: "any://code", namespace: "test" })).toEqual(["any://code test"]);
});

test("an empty variable says nothing", async () => {
  for (const name of ["URL", "EVENTS", "NAMESPACE"]) vi.stubEnv(`INTERMODAL_${name}`, "");
  expect(await made({ url: "any://code" })).toEqual(["any://code intermodal"]);
  vi.stubEnv("NODE_ENV", "production");
  expect(() => createApp({ name: "a" })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});

test("in production anything that is configured will do, and memory when it is asked for", async () => {
  vi.stubEnv("NODE_ENV", "production");
  vi.stubEnv("INTERMODAL_URL", "memory:");
  const app = createApp({ name: "a", logger: silentLogger });
  await app.connect();
  await app.stop();
});

test("apps that name the same server and namespace work together; a handle is got again from the id (E2)", async () => {
  const options = { url: "memory:together", logger: silentLogger };
  const worker = createApp({ ...options, name: "worker" });
  const sender = createApp({ ...options, name: "sender" });
  const reader = createApp({ ...options, name: "reader" });
  const stranger = createApp({ ...options, name: "stranger", namespace: "elsewhere" });
  worker.handle(double, (n) => 2 * n);
  await worker.start();
  const { id } = await sender.submit(double, 21);
  expect(await reader.task(double, id).result({ timeoutMs: 10_000 })).toBe(42);
  expect(await stranger.tasks.get(id)).toBeUndefined();
  await Promise.all([worker, sender, reader, stranger].map((app) => app.stop()));
});
