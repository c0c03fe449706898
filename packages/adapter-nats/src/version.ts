import { IntermodalError } from "@intermodal/core/ports";
import { OLDEST_SERVER } from "./errors.ts";

/** @throws `CONFIG_INVALID` for a server that lacks what the adapter needs. */
export function assertSupported(where: string, version: string): void {
  if (atLeast(version, OLDEST_SERVER)) return;
  throw new IntermodalError(
    "CONFIG_INVALID",
    `${where} runs nats-server ${version || "of an unknown version"}; this adapter needs ${OLDEST_SERVER} or newer: upgrade the server`,
  );
}

export function atLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0, patch = 0] = numbers(version);
  const [oldMajor = 0, oldMinor = 0, oldPatch = 0] = numbers(oldest);
  if (major !== oldMajor) return major > oldMajor;
  return minor === oldMinor ? patch >= oldPatch : minor > oldMinor;
}

function numbers(version: string): number[] {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}
