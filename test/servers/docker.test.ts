import { afterEach, expect, it, type TestContext } from "vitest";
import { startContainer } from "./container.ts";
import { dockerClient, dockerImage } from "./docker.ts";
import { natsRecipe } from "./nats.ts";
import { rabbitRecipe } from "./rabbit.ts";
import type { Recipe } from "./recipe.ts";
import type { Server } from "./server.ts";

/** Time to fetch the image the first time. */
const LIMIT = { timeout: 300_000 };

let server: Server | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(recipe: Recipe, program: string, { skip }: TestContext): Promise<Server> {
  const found = await dockerImage(recipe.kind);
  if ("why" in found) return skip(found.why);
  server = await startContainer(recipe, found.image, program);
  return server;
}

/** The addresses of this machine that containers listen on with a port. */
async function addresses(port: number): Promise<(string | undefined)[]> {
  const containers = await (await dockerClient())?.container.list();
  return (containers ?? []).flatMap(({ Ports }) => Ports.filter((one) => one.PublicPort === port)).map(({ IP }) => IP);
}

it("a server in a container listens on loopback, is frozen, killed and started again, and closed", LIMIT, async (t) => {
  const recipe = natsRecipe({ config: "max_payload: 4096" });
  const nats = await start(recipe, "nats-server", t);
  const { port, url } = nats;
  expect(nats).toMatchObject({ kind: "nats", restartable: true, version: expect.stringMatching(/^2\./) });
  expect(await addresses(port)).toEqual(["127.0.0.1"]);

  await nats.freeze();
  await expect(recipe.probe(url)).rejects.toThrow("says nothing");
  await nats.kill();
  await expect(recipe.probe(url)).rejects.toThrow();
  await nats.start();
  expect([nats.url, await recipe.probe(url)]).toEqual([url, nats.version]);
  await nats.stop();
  await nats.close();
  server = undefined;
  await expect.poll(() => addresses(port)).toEqual([]);
});

it("its tools run beside it", LIMIT, async (t) => {
  const rabbit = await start(rabbitRecipe({ user: "someone" }), "rabbitmq-server", t);
  expect(await rabbit.run("rabbitmqctl", "--quiet", "list_users")).toContain("someone");
  await expect(rabbit.run("rabbitmqctl", "nonsense")).rejects.toThrow("rabbitmqctl failed (64)");
});

it("a start that fails says what the server said", LIMIT, async (t) => {
  const found = await dockerImage("nats");
  if ("why" in found) return t.skip(found.why);
  const started = startContainer(natsRecipe({ config: "max_payload: nonsense" }), found.image, "nats-server");
  await expect(started).rejects.toThrow(/It said: .*interface conversion/s);
  return undefined;
});
