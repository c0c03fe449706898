import type { Script } from "../scripts.ts";

/**
 * Reads what is due by now, by due time and then name, after a place, whether or not there is anything at it: what was there may have moved on.
 *
 * KEYS: the prefix · the set of what is due.
 * ARGV: due time of the place · its name, "" to begin with that time · how many.
 * Returns: the time · when the next one falls due after that, or "" · for each {name · v · d · s · c · u}.
 */
export const scheduleDue: Script = {
  name: "schedule-due",
  lua: `
local prefix, due = KEYS[1], KEYS[2]
local score, member, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))

-- As the set itself orders members; Lua's own comparison goes by the server's locale.
local function isLess(one, other)
  for n = 1, math.min(#one, #other) do
    local a, b = string.byte(one, n), string.byte(other, n)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- Ranks of the members of this time: those in [from, to).
local from = redis.call('ZCOUNT', due, '-inf', '(' .. score)
local to = redis.call('ZCOUNT', due, '-inf', score)
while from < to do
  local middle = math.floor((from + to) / 2)
  if isLess(member, redis.call('ZRANGE', due, middle, middle)[1]) then to = middle else from = middle + 1 end
end

local left = redis.call('ZCOUNT', due, '-inf', now) - from
local answers = { tonumber(now), redis.call('ZRANGEBYSCORE', due, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2] or '' }
if left <= 0 then return answers end
for _, name in ipairs(redis.call('ZRANGE', due, from, from + math.min(count, left) - 1)) do
  local held = redis.call('HMGET', prefix .. 'schedule:' .. name, 'v', 'd', 's', 'c', 'u')
  answers[#answers + 1] = { name, held[1], held[2], held[3], held[4], held[5] }
end
return answers
`,
};
