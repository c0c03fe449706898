import type { Script } from "../scripts.ts";

/**
 * Writes records that are still as they were read, with everything by which they are found, and removes some that have expired. All of a namespace's task keys share a slot, so they are made
 * here from their prefix.
 *
 * KEYS: the prefix · the set of records by expiry.
 * ARGV: longest age of a step in ms · channel of ended tasks · how many · then for each: id · version it began with · time it was computed for · created at · indexes (names separated
 * by spaces) · recovery time or "" · expiry or "" · "1" when it has just ended · how many fields to set · (field · value)… · how many to remove · field….
 * Returns: the time · then for each: 0 when written, else {version, r, i, p, o, c}.
 */
export const taskWrite: Script = {
  name: "task-write",
  lua: `
local prefix, expiring = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local maxAge, channel, count = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])

local function unlist(id, indexes)
  for index in string.gmatch(indexes, '%S+') do redis.call('ZREM', prefix .. index, id) end
end

local answers, ended, at = { now }, {}, 4
for n = 1, count do
  local id, version, computedFor = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local createdAt, indexes, recovery, expiry, hasEnded = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]
  local sets = tonumber(ARGV[at + 8])
  local firstSet = at + 9
  local dels = tonumber(ARGV[firstSet + 2 * sets])
  local firstDel = firstSet + 2 * sets + 1
  at = firstDel + dels
  local key = prefix .. 'task:' .. id
  local there = redis.call('HMGET', key, 'v', 'k', 'a')
  if (there[1] or '0') ~= version or math.abs(now - computedFor) > maxAge then
    local held = redis.call('HMGET', key, 'v', 'r', 'i', 'p', 'o', 'c')
    answers[n + 1] = held
  else
    if there[2] and (there[2] ~= indexes or there[3] ~= createdAt) then unlist(id, there[2]) end
    if there[2] ~= indexes or there[3] ~= createdAt then
      for index in string.gmatch(indexes, '%S+') do redis.call('ZADD', prefix .. index, createdAt, id) end
    end
    if recovery ~= '' then redis.call('ZADD', prefix .. 'recovery', recovery, id)
    else redis.call('ZREM', prefix .. 'recovery', id) end
    if expiry ~= '' then redis.call('ZADD', expiring, expiry, id)
    elseif there[1] then redis.call('ZREM', expiring, id) end
    for field = firstSet, firstSet + 2 * sets - 1, 2 do redis.call('HSET', key, ARGV[field], ARGV[field + 1]) end
    for field = firstDel, firstDel + dels - 1 do redis.call('HDEL', key, ARGV[field]) end
    redis.call('HSET', key, 'k', indexes, 'a', createdAt)
    if hasEnded == '1' then ended[#ended + 1] = id end
    answers[n + 1] = 0
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, 2 * count)) do
  local key = prefix .. 'task:' .. id
  unlist(id, redis.call('HGET', key, 'k') or '')
  redis.call('ZREM', prefix .. 'recovery', id)
  redis.call('ZREM', expiring, id)
  redis.call('DEL', key)
end
if #ended > 0 then redis.call('PUBLISH', channel, table.concat(ended, ' ')) end
return answers
`,
};
