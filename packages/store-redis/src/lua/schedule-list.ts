import type { Script } from "../scripts.ts";

/**
 * Reads schedules on by name.
 *
 * KEYS: the prefix · the set of names.
 * ARGV: name after which to begin, "" for the first · how many.
 * Returns: for each {name · v · d · s · c · u}.
 */
export const scheduleList: Script = {
  name: "schedule-list",
  lua: `
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local answers = {}
for n, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, ARGV[2])) do
  local held = redis.call('HMGET', KEYS[1] .. 'schedule:' .. name, 'v', 'd', 's', 'c', 'u')
  answers[n] = { name, held[1], held[2], held[3], held[4], held[5] }
end
return answers
`,
};
