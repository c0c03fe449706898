import { IntermodalError } from "@intermodal/core/ports";
import { OLDEST_SERVER, unavailable } from "./errors.ts";

/** What a server says of itself; what it may not say, or does not, is absent. */
export interface ServerInfo {
  /** In logs, such as `valkey 9.1.2`. */
  readonly title: string;
  /** Of Redis, or the one that a server says it is compatible with. */
  readonly version: string | undefined;
  readonly isCluster: boolean;
  readonly isReplica: boolean;
  readonly isLoading: boolean;
  readonly evictionPolicy: string | undefined;
}

/** Reads the answer to INFO. */
export function serverInfoOf(info: string): ServerInfo {
  const fields = new Map(
    info.split("\r\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)] as const;
    }),
  );
  const version = fields.get("redis_version");
  const valkey = fields.get("valkey_version");
  return {
    title: valkey === undefined ? `redis ${version ?? "of an unknown version"}` : `valkey ${valkey}`,
    version,
    isCluster: fields.get("cluster_enabled") === "1",
    isLoading: fields.get("loading") === "1",
    isReplica: fields.get("role") === "slave",
    evictionPolicy: fields.get("maxmemory_policy"),
  };
}

/** @throws `CONFIG_INVALID` for a server that lacks what the store needs. @throws `UNAVAILABLE` for one that loads its data, and a replica, which may yet be promoted. */
export function assertUsable(where: string, info: ServerInfo): void {
  const { title, version, isReplica, isLoading, isCluster } = info;
  if (version !== undefined && !atLeast(version, OLDEST_SERVER))
    throw new IntermodalError(
      "CONFIG_INVALID",
      `${where} runs ${title}; this store needs ${OLDEST_SERVER} or newer: upgrade the server`,
    );
  if (isLoading) throw unavailable("connecting", `${where} is loading its data`);
  // Of a cluster, any node tells where the primaries are.
  if (isReplica && !isCluster) throw unavailable("connecting", `${where} is a replica; use the address of the primary`);
}

/** For commands that came later than the oldest server that is supported. */
export function atLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0, patch = 0] = numbers(version);
  const [oldMajor = 0, oldMinor = 0, oldPatch = 0] = numbers(oldest);
  if (major !== oldMajor) return major > oldMajor;
  return minor === oldMinor ? patch >= oldPatch : minor > oldMinor;
}

function numbers(version: string): number[] {
  const [, major, minor, patch] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}
