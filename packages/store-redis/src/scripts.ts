import { createHash } from "node:crypto";
import { isReply } from "./errors.ts";
import type { Client } from "./link.ts";

/** A Lua script; each stands in a file of its own in `lua/`. */
export interface Script {
  /** In errors. */
  readonly name: string;
  readonly lua: string;
}

/**
 * Runs a script, called by its hash, at the server that holds the keys, which are in one slot. Where the server does not know it (never seen, restarted, cache
 * flushed) it is sent whole: a server that does not know a script has not run it.
 */
export async function runScript(
  client: Client,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(hashOf(script), keys.length, ...keys, ...args);
  } catch (error) {
    if (!isReply(error, "NOSCRIPT")) throw error;
    return client.eval(script.lua, keys.length, ...keys, ...args);
  }
}

const hashes = new WeakMap<Script, string>();

function hashOf(script: Script): string {
  const known = hashes.get(script);
  if (known !== undefined) return known;
  const hash = createHash("sha1").update(script.lua).digest("hex");
  hashes.set(script, hash);
  return hash;
}
