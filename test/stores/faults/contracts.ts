import { defineTask, fixed } from "@intermodal/core";
import { z } from "zod";

/** Emits `notes` notes, one every `everyMs`, and waits for `waitMs` then. An `endless` one does not cease to emit at its first attempt. */
const input = z.object({
  n: z.int(),
  notes: z.int().default(0),
  everyMs: z.int().default(0),
  waitMs: z.int().default(0),
  endless: z.boolean().default(false),
});

/** Which worker it was whose outcome stands, and at which attempt. */
const output = z.object({ n: z.int(), by: z.string(), attempt: z.int() });

export const work = defineTask("stores.work", {
  queue: "stores",
  input,
  output,
  retry: { maxAttempts: 5, backoff: fixed(100) },
});
