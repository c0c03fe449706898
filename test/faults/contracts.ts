import { defineCommand, defineEvent, fixed } from "@intermodal/core";
import { z } from "zod";

export const MAX_ATTEMPTS = 3;

const act = z.union([z.literal(["handle", "hang", "die", "throw", "refuse"]), z.object({ waitMs: z.number() })]);

/** What a handler does at an attempt: be done, never end, kill its process with -9, fail, fail for good, be done after a while. */
export type Act = z.infer<typeof act>;

const retry = { maxAttempts: MAX_ATTEMPTS, backoff: fixed(100) };
/** The last act is repeated. */
const message = z.object({ n: z.int(), acts: z.array(act).default(["handle"]), padding: z.string().optional() });

export type Message = z.infer<typeof message>;

export const command = defineCommand("faults.command", { queue: "faults", input: message, retry });
export const event = defineEvent("faults.event", { data: message });
export const listening = { retry } as const;

/** A number for each message. */
export function numbers(count: number, first = 0): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
