/** Lua that other scripts begin with: `expire(prefix, most, now)` removes records that have expired, with everything by which they are found, at most so many. */
export const EXPIRE = `
local function unlist(prefix, id, sets, except)
  for set in string.gmatch(sets, '%S+') do
    if not except[set] then redis.call('ZREM', prefix .. set, id) end
  end
end

local function expire(prefix, most, now)
  local expiring = prefix .. 'expiring'
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, most)) do
    local key = prefix .. 'task:' .. id
    unlist(prefix, id, redis.call('HGET', key, 'k') or '', {})
    redis.call('ZREM', prefix .. 'recovery', id)
    redis.call('ZREM', expiring, id)
    redis.call('DEL', key)
  end
end
`;
