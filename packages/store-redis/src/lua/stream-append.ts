import type { Script } from "../scripts.ts";

/**
 * Appends to one stream those of the events that it does not have yet, all of them or none, and wakes its readers.
 *
 * A writer's record in the meta hash is `<n>:<length>:<sequence>:<from>-<to>,…`: its latest events that stand one after the other, from which a repeated append is answered at
 * once, and which of its numbers are stored at all. What was stored before its latest stretch is looked for in the log, from the end.
 *
 * KEYS: log · meta hash.
 * ARGV: events kept at the least · ms that the stream is kept after this · channel · incarnation, for a stream that begins · "1": the (only) event is the terminal one · then for each
 * event: writer · n · JSON.
 * Returns: {0, sequence…}, {1} for a stream that has ended, {2, index} for an event that was stored too long ago to know its sequence.
 */
export const streamAppend: Script = {
  name: "stream-append",
  lua: `
local log, meta = KEYS[1], KEYS[2]
local keep, ttl, channel, terminal = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[5] == '1'
local FIRST, EACH, MAX_STRETCHES, PAGE = 6, 3, 256, 200

local state = redis.call('HMGET', meta, 'last', 'ended', 'prune')
local begins = not state[1]
local last, ended = tonumber(state[1] or 0), state[2] == '1'
-- What is left of a stream whose other key is gone belongs to no stream.
if begins then redis.call('DEL', log) end
if terminal and ended then return {0} end

local function text(number) return string.format('%.0f', number) end

local writers = {}
local function writerOf(name)
  local writer = writers[name]
  if writer then return writer end
  writer = { n = 0, length = 0, sequence = 0, from = {}, to = {} }
  local stored = redis.call('HGET', meta, 'w:' .. name)
  if stored then
    local n, length, sequence, stretches = string.match(stored, '^(%d+):(%d+):(%d+):(.*)$')
    writer.n, writer.length, writer.sequence = tonumber(n), tonumber(length), tonumber(sequence)
    for from, to in string.gmatch(stretches, '(%d+)-(%d+)') do
      writer.from[#writer.from + 1], writer.to[#writer.to + 1] = tonumber(from), tonumber(to)
    end
  end
  writers[name] = writer
  return writer
end

local function placeOf(writer, n)
  local at = #writer.from
  while at > 0 and writer.from[at] > n do at = at - 1 end
  return at
end

local function has(writer, n)
  local at = placeOf(writer, n)
  return at > 0 and writer.to[at] >= n
end

local function add(writer, n, sequence)
  if writer.length > 0 and n == writer.n + writer.length and sequence == writer.sequence + writer.length then
    writer.length = writer.length + 1
  else
    writer.n, writer.length, writer.sequence = n, 1, sequence
  end
  local at = placeOf(writer, n)
  local from, to = writer.from, writer.to
  if at > 0 and to[at] == n - 1 then
    to[at] = n
    if from[at + 1] == n + 1 then
      to[at] = to[at + 1]
      table.remove(from, at + 1)
      table.remove(to, at + 1)
    end
  elseif from[at + 1] == n + 1 then
    from[at + 1] = n
  else
    table.insert(from, at + 1, n)
    table.insert(to, at + 1, n)
    if #from > MAX_STRETCHES then
      -- A writer that leaves numbers out for ever: the oldest of them count as stored long ago.
      from[2] = from[1]
      table.remove(from, 1)
      table.remove(to, 1)
    end
  end
end

-- First all that is known already, then anything is changed.
local sequences, wanted, missing, new = {}, {}, 0, 0
local count = (#ARGV - FIRST + 1) / EACH
for index = 1, count do
  local at = FIRST + (index - 1) * EACH
  local name, n = ARGV[at], tonumber(ARGV[at + 1])
  local writer = writerOf(name)
  if not has(writer, n) then
    new = new + 1
  elseif n >= writer.n and n < writer.n + writer.length then
    sequences[index] = writer.sequence + n - writer.n
  else
    local key = name .. ':' .. text(n)
    if not wanted[key] then
      wanted[key] = {}
      missing = missing + 1
    end
    table.insert(wanted[key], index)
  end
end
if new > 0 and ended then return {1} end

local before = '+'
while missing > 0 do
  local page = redis.call('XREVRANGE', log, before, '-', 'COUNT', PAGE)
  for _, entry in ipairs(page) do
    local key = entry[2][2] .. ':' .. entry[2][4]
    if wanted[key] then
      for _, index in ipairs(wanted[key]) do sequences[index] = tonumber(string.match(entry[1], '^%d+')) end
      wanted[key] = nil
      missing = missing - 1
    end
    before = '(' .. entry[1]
  end
  if #page < PAGE then break end
end
for _, indexes in pairs(wanted) do return {2, indexes[1] - 1} end

local stored = {}
for index = 1, count do
  if not sequences[index] then
    local at = FIRST + (index - 1) * EACH
    local name, n = ARGV[at], tonumber(ARGV[at + 1])
    local key = name .. ':' .. text(n)
    if not stored[key] then
      last = last + 1
      stored[key] = last
      redis.call('XADD', log, 'MAXLEN', '~', keep, text(last) .. '-0', 'w', name, 'n', text(n), 'event', ARGV[at + 2])
      add(writers[name], n, last)
      writers[name].changed = true
    end
    sequences[index] = stored[key]
  end
end

if begins then redis.call('HSET', meta, 'incarnation', ARGV[4]) end
if terminal then redis.call('HSET', meta, 'ended', '1') end
for name, writer in pairs(writers) do
  if writer.changed then
    local stretches = {}
    for at, from in ipairs(writer.from) do stretches[at] = text(from) .. '-' .. text(writer.to[at]) end
    local record = { text(writer.n), text(writer.length), text(writer.sequence), table.concat(stretches, ',') }
    redis.call('HSET', meta, 'w:' .. name, table.concat(record, ':'))
  end
end

-- Writers of which no event is kept are not known any longer: there are never many more writers than events.
local limit = tonumber(state[3] or keep)
if new > 0 and redis.call('HLEN', meta) > limit then
  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local kept = first and tonumber(string.match(first[1], '^%d+')) or last + 1
  local fields, gone = redis.call('HGETALL', meta), {}
  for at = 1, #fields, 2 do
    local length, sequence = string.match(fields[at + 1], '^%d+:(%d+):(%d+):')
    if string.sub(fields[at], 1, 2) == 'w:' and sequence + length <= kept then gone[#gone + 1] = fields[at] end
  end
  for _, field in ipairs(gone) do redis.call('HDEL', meta, field) end
  redis.call('HSET', meta, 'prune', #fields / 2 - #gone + keep)
end

if new > 0 or begins or terminal then redis.call('HSET', meta, 'last', text(last)) end
if not ended then
  local time = redis.call('TIME')
  local at = text(time[1] * 1000 + math.floor(time[2] / 1000) + ttl)
  redis.call('PEXPIREAT', log, at)
  redis.call('PEXPIREAT', meta, at)
end
-- It is stored: nobody being woken is no failure.
if new > 0 or terminal then redis.pcall('PUBLISH', channel, text(last)) end
table.insert(sequences, 1, 0)
return sequences
`,
};
