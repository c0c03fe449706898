import type { Script } from "../scripts.ts";

/**
 * Gives a node's reservation back; what another holds, or what is completed, stays so.
 *
 * KEYS: as of inbox-reserve.
 * ARGV: node.
 */
export const inboxRelease: Script = {
  name: "inbox-release",
  lua: `
local entry = redis.call('GET', KEYS[1])
if entry == 'by:' .. ARGV[1] then redis.call('DEL', KEYS[1]) end
`,
};
