import type { Script } from "../scripts.ts";

/**
 * Reads schedules. All of a namespace's schedules share a slot, so their keys are made here from their prefix.
 *
 * KEYS: the prefix.
 * ARGV: names.
 * Returns: the time · for each {v · d · s · c · u} as schedule-write describes them, nothing where there is none.
 */
export const scheduleRead: Script = {
  name: "schedule-read",
  lua: `
local time = redis.call('TIME')
local answers = { time[1] * 1000 + math.floor(time[2] / 1000) }
for n, name in ipairs(ARGV) do
  answers[n + 1] = redis.call('HMGET', KEYS[1] .. 'schedule:' .. name, 'v', 'd', 's', 'c', 'u')
end
return answers
`,
};
