import type { Script } from "../scripts.ts";

/** Reads records. KEYS: the records. Returns: the time · then for each {version, r, i, p, o, c}. */
export const taskRead: Script = {
  name: "task-read",
  lua: `
local time = redis.call('TIME')
local answers = { time[1] * 1000 + math.floor(time[2] / 1000) }
for n, key in ipairs(KEYS) do answers[n + 1] = redis.call('HMGET', key, 'v', 'r', 'i', 'p', 'o', 'c') end
return answers
`,
};
