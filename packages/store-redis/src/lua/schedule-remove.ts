import type { Script } from "../scripts.ts";

/**
 * Removes schedules, with what they are found by.
 *
 * KEYS: as of schedule-write.
 * ARGV: names.
 */
export const scheduleRemove: Script = {
  name: "schedule-remove",
  lua: `
for _, name in ipairs(ARGV) do
  redis.call('DEL', KEYS[1] .. 'schedule:' .. name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
end
`,
};
