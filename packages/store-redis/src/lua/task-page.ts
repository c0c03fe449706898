import type { Script } from "../scripts.ts";

/**
 * Reads on in sorted sets after a place, by score and then member, whether or not there is anything at it. Scores may be shared by any number of members.
 *
 * KEYS: the sets.
 * ARGV: "up" or "down" · score of the place · member of the place ("" stands before all members of its score when going up, after them when going down) · last score wanted · how many.
 * Returns: for each set {member · score · …}.
 */
export const taskPage: Script = {
  name: "task-page",
  lua: `
local direction, score, member, last, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local up = direction == 'up'

-- As the set itself orders members; Lua's own comparison goes by the server's locale.
local function isLess(one, other)
  for n = 1, math.min(#one, #other) do
    local a, b = string.byte(one, n), string.byte(other, n)
    if a ~= b then return a < b end
  end
  return #one < #other
end

local range = up and 'ZRANGE' or 'ZREVRANGE'
local answers = {}
for n, key in ipairs(KEYS) do
  -- Ranks of the members of this score: those in [from, to).
  local from, to
  if up then
    from = redis.call('ZCOUNT', key, '-inf', '(' .. score)
    to = redis.call('ZCOUNT', key, '-inf', score)
  else
    from = redis.call('ZCOUNT', key, '(' .. score, '+inf')
    to = redis.call('ZCOUNT', key, score, '+inf')
  end
  while from < to do
    local middle = math.floor((from + to) / 2)
    local found = redis.call(range, key, middle, middle)[1]
    local isAfter
    if up then isAfter = isLess(member, found) else isAfter = isLess(found, member) end
    if isAfter then to = middle else from = middle + 1 end
  end
  local rows = redis.call(range, key, from, from + count - 1, 'WITHSCORES')
  for at = 2, #rows, 2 do
    local beyond
    if up then beyond = tonumber(rows[at]) > tonumber(last) else beyond = tonumber(rows[at]) < tonumber(last) end
    if beyond then
      for left = #rows, at - 1, -1 do rows[left] = nil end
      break
    end
  end
  answers[n] = rows
end
return answers
`,
};
