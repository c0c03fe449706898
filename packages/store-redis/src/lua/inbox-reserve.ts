import type { Script } from "../scripts.ts";

/**
 * Reserves a message, unless it is completed or another node has it.
 *
 * KEYS: `done`, or `by:<node>`, until it expires.
 * ARGV: node · ms.
 * Returns: 'reserved', 'completed' or 'busy'.
 */
export const inboxReserve: Script = {
  name: "inbox-reserve",
  lua: `
local by = 'by:' .. ARGV[1]
local entry = redis.call('GET', KEYS[1])
if entry == 'done' then return 'completed' end
if entry and entry ~= by then return 'busy' end
redis.call('SET', KEYS[1], by, 'PX', ARGV[2])
return 'reserved'
`,
};
