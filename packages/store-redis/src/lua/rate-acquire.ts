import type { Script } from "../scripts.ts";

/**
 * Takes a permit if no window of this length, wherever it begins, would then hold more of them.
 *
 * KEYS: a sorted set with a member for each permit given out lately, by time, named by its time and a number from 0. Below zero stand notes: `since` a turn began; the `longest` window that was asked
 * for in it; the longest in the `former` turn. Turns last as long as the longest of both: so a window that is asked for no more is let go after two at the latest, and none before it has
 * passed.
 * ARGV: permits · ms.
 * Returns: 0 when taken, else the ms after which to ask again.
 */
export const rateAcquire: Script = {
  name: "rate-acquire",
  lua: `
local key, permits, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if permits < 1 then return window end
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local noted, isNew = { longest = 0, former = 0, since = 0 }, false
local notes = redis.call('ZRANGEBYSCORE', key, '-inf', '(0', 'WITHSCORES')
for at = 1, #notes, 2 do noted[notes[at]] = -tonumber(notes[at + 1]) end
local function note(name, value)
  noted[name], isNew = value, true
  redis.call('ZADD', key, text(-value), name)
end
if noted.since > now then note('since', now) end
if noted.since + math.max(noted.longest, noted.former) <= now then
  if noted.longest > 0 then note('former', noted.longest) end
  note('longest', window)
  note('since', now)
elseif noted.longest < window then
  note('longest', window)
end
local reach = math.max(noted.longest, noted.former)

local function give(count)
  local same = redis.call('ZCOUNT', key, text(now), text(now))
  for number = same, same + count - 1 do redis.call('ZADD', key, text(now), text(now) .. '-' .. number) end
  isNew = true
end
-- Where the clock was set back, what was given out later counts as given out now: nobody gets too many, and nobody waits until the clock has caught up.
local later = redis.call('ZREMRANGEBYSCORE', key, '(' .. text(now), '+inf')
if later > 0 then give(later) end

-- The permit that used up the last one frees one when it leaves the window.
local last = redis.call('ZREVRANGE', key, permits - 1, permits - 1, 'WITHSCORES')[2]
local wait = last and tonumber(last) > 0 and math.max(0, tonumber(last) + window - now) or 0
if wait == 0 then
  redis.call('ZREMRANGEBYSCORE', key, 0, text(now - reach))
  give(1)
end
if isNew then redis.call('PEXPIREAT', key, text(now + reach)) end
return wait
`,
};
