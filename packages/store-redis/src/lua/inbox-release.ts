import type { Script } from "../scripts.ts";

/**
 * Gives a reservation back; what is completed stays so.
 *
 * KEYS: as of inbox-reserve.
 */
export const inboxRelease: Script = {
  name: "inbox-release",
  lua: `
local entry = redis.call('GET', KEYS[1])
if entry and entry ~= 'done' then redis.call('DEL', KEYS[1]) end
`,
};
