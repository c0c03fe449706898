import type { Script } from "../scripts.ts";

/**
 * Reads records, as many of them as its answer has room for: the first ones, one at the least.
 *
 * KEYS: the records.
 * ARGV: after how many bytes of them no other is read.
 * Returns: the time · then for each {version, r, i, p, o, c}.
 */
export const taskRead: Script = {
  name: "task-read",
  lua: `
local time = redis.call('TIME')
local answers = { time[1] * 1000 + math.floor(time[2] / 1000) }
local left = tonumber(ARGV[1])
for n, key in ipairs(KEYS) do
  local fields = redis.call('HMGET', key, 'v', 'r', 'i', 'p', 'o', 'c')
  answers[n + 1] = fields
  for _, field in ipairs(fields) do left = left - #(field or '') end
  if left <= 0 then break end
end
return answers
`,
};
