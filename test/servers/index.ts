import { mongoRecipe } from "./mongo.ts";
import { type NatsOptions, natsRecipe } from "./nats.ts";
import { type RabbitOptions, type RabbitServer, rabbitRecipe, withCtl } from "./rabbit.ts";
import type { Recipe } from "./recipe.ts";
import { type RedisOptions, redisRecipe } from "./redis.ts";
import { KINDS, type Server, type ServerKind, ServerMissingError, type ServerOptions } from "./server.ts";
import { findSource } from "./sources.ts";

export { type Direction, type Proxy, startProxy } from "./proxy.ts";
export type { NatsOptions, RabbitOptions, RabbitServer, RedisOptions, Server, ServerKind, ServerOptions };
export { KINDS, ServerMissingError };

type AnyOptions = NatsOptions & RabbitOptions & RedisOptions;

/**
 * Starts a real server for a test, on a free port of loopback with data of its own; it ends with this process at the latest.
 * It comes from the first of: a URL in the environment (`INTERMODAL_TEST_NATS_URL` …; only when nothing special is asked of it),
 * a program on the PATH, Docker, a private Debian in the cache folder.
 * @throws ServerMissingError saying what to install.
 */
export function startServer(kind: "rabbit", options?: RabbitOptions): Promise<RabbitServer>;
export function startServer(kind: "nats", options?: NatsOptions): Promise<Server>;
export function startServer(kind: "redis" | "valkey", options?: RedisOptions): Promise<Server>;
export function startServer(kind: ServerKind, options?: ServerOptions): Promise<Server>;
export async function startServer(kind: ServerKind, options: AnyOptions = {}): Promise<Server> {
  const start = await findSource({ kind, version: options.version, plain: isPlain(options) });
  const server = await start(recipeOf(kind, options));
  return kind === "rabbit" ? withCtl(server) : server;
}

/**
 * Why a server can't be had here: one line that says what to install; undefined when it can. What has to be fetched or made for
 * it is, which takes a minute the first time.
 */
export async function whyMissing(kind: ServerKind, options: ServerOptions = {}): Promise<string | undefined> {
  try {
    await findSource({ kind, version: options.version, plain: isPlain(options) });
    return undefined;
  } catch (error) {
    if (error instanceof ServerMissingError) return error.message;
    throw error;
  }
}

function isPlain(options: AnyOptions): boolean {
  return Object.values(options).every((value) => value === undefined);
}

function recipeOf(kind: ServerKind, options: AnyOptions): Recipe {
  switch (kind) {
    case "nats":
      return natsRecipe(options);
    case "rabbit":
      return rabbitRecipe(options);
    case "redis":
    case "valkey":
      return redisRecipe(kind, options);
    case "mongo":
      return mongoRecipe(options);
  }
}
