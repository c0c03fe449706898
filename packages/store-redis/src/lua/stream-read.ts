import type { Script } from "../scripts.ts";

/**
 * Reads what one stream keeps after a sequence, and how it stands, as of one moment.
 *
 * KEYS: log · meta hash.
 * ARGV: after · most events · most bytes of them, as soon as there is one; 0: any.
 * Returns: {last, ended, incarnation, then for each event its id and its JSON}; the first three are empty for a stream that does not exist.
 */
export const streamRead: Script = {
  name: "stream-read",
  lua: `
local log, meta = KEYS[1], KEYS[2]
local left, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', meta, 'last', 'ended', 'incarnation')
local answer = { state[1] or '', state[2] or '', state[3] or '' }
if not state[1] or tonumber(ARGV[1]) >= tonumber(state[1]) then return answer end

-- In steps, so that no more is taken hold of than is given out.
local step = most > 0 and 32 or left
local from, bytes = '(' .. ARGV[1] .. '-0', 0
while left > 0 do
  local page = redis.call('XRANGE', log, from, '+', 'COUNT', math.min(step, left))
  for _, entry in ipairs(page) do
    local event = entry[2][6]
    bytes = bytes + #event
    if most > 0 and bytes > most and #answer > 3 then return answer end
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = event
    from = '(' .. entry[1]
  end
  left = left - #page
  if #page < step then break end
end
return answer
`,
};
