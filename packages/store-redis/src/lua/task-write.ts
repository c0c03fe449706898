import type { Script } from "../scripts.ts";
import { EXPIRE } from "./task-expire.ts";

/**
 * Writes records that are still as they were read, with everything by which they are found, and removes some that have expired. All of a namespace's task keys share a slot, so they are made
 * here from their prefix.
 *
 * Beside what it is told to set, a record's hash has `k`, the sets it stands in, `a`, its score there, and `w`, its score in the set for the sweep, or nothing.
 *
 * KEYS: the prefix · the set of records by expiry.
 * ARGV: channel of ended tasks · after how many bytes of what is there instead no more of that is told · how many · then for each: id · version it began with · time it was
 * computed for · how old that may be in ms · created at · sets (names separated by spaces) · recovery time or "" · expiry or "" · "1" when it has just ended · how many fields to
 * set · (field · value)… · how many to remove · field….
 * Returns: the time · then for each: 0 when written, else {version, r, i, p, o, c}, or 1 in place of that.
 */
export const taskWrite: Script = {
  name: "task-write",
  lua: `${EXPIRE}
local prefix, expiring, recovery = KEYS[1], KEYS[2], KEYS[1] .. 'recovery'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local channel, left, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function enlist(id, sets, score, except)
  for set in string.gmatch(sets, '%S+') do
    if not except[set] then redis.call('ZADD', prefix .. set, score, id) end
  end
end

local function membersOf(sets)
  local members = {}
  for set in string.gmatch(sets, '%S+') do members[set] = true end
  return members
end

-- What is there may be long, and many at once be more than an answer can carry.
local function tell(key)
  if left <= 0 then return 1 end
  local fields = redis.call('HMGET', key, 'v', 'r', 'i', 'p', 'o', 'c')
  for _, field in ipairs(fields) do left = left - #(field or '') end
  return fields
end

local answers, ended, at = { now }, {}, 4
for n = 1, count do
  local id, version, computedFor, maxAge = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local score, sets, recoverAt, expireAt, hasEnded = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7], ARGV[at + 8]
  local firstSet = at + 10
  local firstDel = firstSet + 2 * tonumber(ARGV[at + 9]) + 1
  at = firstDel + tonumber(ARGV[firstDel - 1])
  local key = prefix .. 'task:' .. id
  local there = redis.call('HMGET', key, 'v', 'k', 'a', 'w')
  local oldSets, oldScore, oldRecoverAt = there[2] or '', there[3], there[4] or ''
  if (there[1] or '0') ~= version or math.abs(now - computedFor) > maxAge then
    answers[n + 1] = tell(key)
  else
    if oldScore ~= score then
      unlist(prefix, id, oldSets, {})
      enlist(id, sets, score, {})
    elseif oldSets ~= sets then
      unlist(prefix, id, oldSets, membersOf(sets))
      enlist(id, sets, score, membersOf(oldSets))
    end
    local fields = { 'k', sets, 'a', score }
    for field = firstSet, firstDel - 2 do fields[#fields + 1] = ARGV[field] end
    if recoverAt ~= '' then
      if recoverAt ~= oldRecoverAt then redis.call('ZADD', recovery, recoverAt, id) end
      fields[#fields + 1] = 'w'
      fields[#fields + 1] = recoverAt
    elseif oldRecoverAt ~= '' then
      redis.call('ZREM', recovery, id)
      redis.call('HDEL', key, 'w')
    end
    redis.call('HSET', key, unpack(fields))
    for field = firstDel, at - 1 do redis.call('HDEL', key, ARGV[field]) end
    if expireAt ~= '' then redis.call('ZADD', expiring, expireAt, id)
    elseif version ~= '0' then redis.call('ZREM', expiring, id) end
    if hasEnded == '1' then ended[#ended + 1] = id end
    answers[n + 1] = 0
  end
end

expire(prefix, 2 * count, now)
if #ended > 0 then redis.pcall('PUBLISH', channel, table.concat(ended, ' ')) end
return answers
`,
};
