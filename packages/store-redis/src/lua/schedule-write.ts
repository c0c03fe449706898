import type { Script } from "../scripts.ts";

/**
 * Writes schedules that still have the revision that is expected. A write whose own revision is there already was repeated: it is answered, and not done again.
 *
 * A schedule's hash has `v`, its revision, `d`, its definition, `s`, its state, `c` and `u`, when it was written first and last. Each stands in the set of names, where all scores
 * are 0, and the ones that run, by due time, in the set of what is due.
 *
 * KEYS: the prefix · the set of names · the set of what is due.
 * ARGV: for each: name · revision that is expected, "" for none · revision · definition · state · due time or "".
 * Returns: the time · for each {1 · c} when written, else {1 when repeated, 0 when not written · v · d · s · c · u}.
 */
export const scheduleWrite: Script = {
  name: "schedule-write",
  lua: `
local prefix, names, due = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = { now }
for at = 1, #ARGV, 6 do
  local name, expected, revision = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local definition, state, dueAt = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local key = prefix .. 'schedule:' .. name
  local held = redis.call('HMGET', key, 'v', 'd', 's', 'c', 'u')
  local answer
  if held[1] == revision then
    answer = { 1, held[1], held[2], held[3], held[4], held[5] }
  elseif (held[1] or '') ~= expected then
    answer = { 0, held[1], held[2], held[3], held[4], held[5] }
  else
    local created = held[4] or string.format('%.0f', now)
    redis.call('HSET', key, 'v', revision, 'd', definition, 's', state, 'c', created, 'u', string.format('%.0f', now))
    if not held[1] then redis.call('ZADD', names, 0, name) end
    if dueAt ~= '' then redis.call('ZADD', due, dueAt, name) else redis.call('ZREM', due, name) end
    answer = { 1, created }
  end
  answers[#answers + 1] = answer
end
return answers
`,
};
