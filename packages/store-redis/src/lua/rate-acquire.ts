import type { Script } from "../scripts.ts";

/**
 * Takes a permit if no window of this length, wherever it begins, would then hold more of them.
 *
 * KEYS: a sorted set with a member for each permit given out lately, by time; its lowest, below zero, is the longest window that was asked for.
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
local longest = math.max(window, -tonumber(redis.call('ZSCORE', key, 'longest') or 0))

-- The permit that used up the last one frees one when it leaves the window.
local last = redis.call('ZREVRANGE', key, permits - 1, permits - 1, 'WITHSCORES')[2]
if last and tonumber(last) > 0 and tonumber(last) + window > now then return tonumber(last) + window - now end

redis.call('ZREMRANGEBYSCORE', key, 0, text(now - longest))
-- A clock that was set back must not put permits out of order.
local newest = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2]
local at = math.max(now, tonumber(newest or 0))
local same = redis.call('ZCOUNT', key, text(at), text(at))
redis.call('ZADD', key, text(at), text(at) .. '-' .. same)
redis.call('ZADD', key, text(-longest), 'longest')
redis.call('PEXPIREAT', key, text(at + longest))
return 0
`,
};
