import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerRuntimeClient } from "testcontainers";
import type { ServerKind } from "./server.ts";

const ANSWER_MS = 3_000;

const IMAGES: Readonly<Record<ServerKind, (version?: string) => string>> = {
  nats: (version = "2") => `nats:${version}-alpine`,
  rabbit: (version = "4") => `rabbitmq:${version}-alpine`,
  redis: (version = "8") => `redis:${version}-alpine`,
  valkey: (version = "9") => `valkey/valkey:${version}-alpine`,
  mongo: (version = "8") => `mongo:${version}`,
};

/** The image of a server, fetched; or why it can't be had. */
export async function dockerImage(kind: ServerKind, version?: string): Promise<{ image: string } | { why: string }> {
  const client = await dockerClient();
  if (client === undefined) return { why: "there is no Docker that answers" };
  const { host } = client.info.containerRuntime;
  if (host !== "localhost" && host !== "127.0.0.1") return { why: "Docker runs on another machine" };
  const { ImageName } = await import("testcontainers");
  const image = IMAGES[kind](version);
  try {
    await client.image.pull(ImageName.fromString(image));
    return { image };
  } catch (error) {
    return { why: `Docker has no image ${image}: ${error instanceof Error ? error.message : error}` };
  }
}

/** Undefined unless a Docker answers soon. */
export async function dockerClient(): Promise<ContainerRuntimeClient | undefined> {
  // Looked for before the library is loaded, which takes longer than most tests.
  if (!process.env.DOCKER_HOST && !sockets().some(existsSync)) return undefined;
  const { getContainerRuntimeClient } = await import("testcontainers");
  return Promise.race([
    getContainerRuntimeClient().catch(() => undefined),
    sleep(ANSWER_MS, undefined, { ref: false }),
  ]);
}

/** Where Docker listens: that of the machine, rootless ones, desktops, and what the library is configured with. */
function sockets(): string[] {
  const home = homedir();
  return [
    "/var/run/docker.sock",
    join(process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`, "docker.sock"),
    ...[".docker/run/docker.sock", ".docker/desktop/docker.sock", ".testcontainers.properties"].map((name) =>
      join(home, name),
    ),
  ];
}
