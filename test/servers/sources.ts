import { overDocumentDb } from "./debian/documents.ts";
import { debianProgram, whyNoDebian } from "./debian/programs.ts";
import { dockerImage } from "./docker.ts";
import { fromEnvironment, variableOf } from "./environment.ts";
import { startLocal } from "./local.ts";
import { onPath } from "./path.ts";
import type { Recipe } from "./recipe.ts";
import { type Server, type ServerKind, ServerMissingError } from "./server.ts";

/** Starts what it was found for. */
export type Source = (recipe: Recipe) => Promise<Server>;

const PROGRAMS: Readonly<Record<ServerKind, string>> = {
  nats: "nats-server",
  rabbit: "rabbitmq-server",
  redis: "redis-server",
  valkey: "valkey-server",
  mongo: "mongod",
};

export interface Wanted {
  readonly kind: ServerKind;
  readonly version: string | undefined;
  /** Nothing is asked of it that a server which runs already may not have. */
  readonly plain: boolean;
}

/** Where a server comes from here. What has to be fetched or made for it is, once. @throws ServerMissingError */
export async function findSource(wanted: Wanted): Promise<Source> {
  const { kind, version, plain } = wanted;
  const url = process.env[variableOf(kind)];
  if (url && plain) return (recipe) => fromEnvironment(recipe, url);
  const installed = version === undefined ? await onPath(PROGRAMS[kind]) : undefined;
  if (installed !== undefined) return (recipe) => startLocal(recipe, installed);
  const docker = await dockerImage(kind, version);
  if ("image" in docker) return (recipe) => startContainer(recipe, docker.image, PROGRAMS[kind]);
  const why = (await whyNoDebian()) ?? (await fromDebian(wanted));
  if (typeof why !== "string") return why;
  const name = version === undefined ? PROGRAMS[kind] : `${PROGRAMS[kind]} ${version}`;
  const or = plain ? `, or set ${variableOf(kind)}` : "";
  throw new ServerMissingError(`${name} is missing: install it or Docker${or} (${docker.why}; ${why})`);
}

/** The library is loaded only where there is a Docker. */
async function startContainer(recipe: Recipe, image: string, program: string): Promise<Server> {
  const { startContainer } = await import("./container.ts");
  return startContainer(recipe, image, program);
}

/** @returns why not, where it can't be had from there. */
async function fromDebian({ kind, version }: Wanted): Promise<Source | string> {
  try {
    const program = await debianProgram(kind, version);
    if (program === undefined) return "Debian has no such version";
    return (recipe) => startLocal(kind === "mongo" ? overDocumentDb(recipe) : recipe, program);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
