import type { Script } from "../scripts.ts";
import { EXPIRE } from "./task-expire.ts";

/** Lets one node sweep, and removes what has expired where nobody writes. KEYS: the lease · the prefix. ARGV: the node · for how many ms. Returns: the time, or nil while another node has it. */
export const taskHold: Script = {
  name: "task-hold",
  lua: `${EXPIRE}
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return nil end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
expire(KEYS[2], 1000, now)
return now
`,
};
