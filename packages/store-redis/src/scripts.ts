import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { isReply, tooLong } from "./errors.ts";
import type { Client } from "./link.ts";

/** A Lua script; each stands in a file of its own in `lua/`. */
export interface Script {
  /** In errors. */
  readonly name: string;
  readonly lua: string;
}

/**
 * How much of what users store goes into one call or one answer, unless a single item is longer: whatever it is called with is one text to the driver, which has a limit, and must reach the
 * other side in the time that a call may take.
 */
export const MAX_LENGTH = 4 * 1_048_576;

/** What stands around an argument, or a number as one, at the most. */
const FRAME_LENGTH = 32;

/**
 * Runs a script, called by its hash, at the server that holds the keys, which are in one slot. Where the server does not know it (never seen, restarted, cache
 * flushed) it is sent whole: a server that does not know a script has not run it.
 * @throws `PAYLOAD_TOO_LARGE` for what cannot be sent in one piece.
 */
export async function runScript(
  client: Client,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  if (lengthOf(args) > constants.MAX_STRING_LENGTH) throw tooLong(script.name);
  try {
    return await client.evalsha(hashOf(script), keys.length, ...keys, ...args);
  } catch (error) {
    if (!isReply(error, "NOSCRIPT")) throw error;
    return client.eval(script.lua, keys.length, ...keys, ...args);
  }
}

/** How long arguments are on the wire, about. */
export function lengthOf(args: readonly (string | number)[]): number {
  let length = 0;
  for (const arg of args) length += FRAME_LENGTH + (typeof arg === "string" ? arg.length : 0);
  return length;
}

const hashes = new WeakMap<Script, string>();

function hashOf(script: Script): string {
  const known = hashes.get(script);
  if (known !== undefined) return known;
  const hash = createHash("sha1").update(script.lua).digest("hex");
  hashes.set(script, hash);
  return hash;
}
