// contracts.ts: what sender and worker share
import { defineEvent, defineTask, exponential } from "@intermodal/core/contracts";
import { z } from "zod";

export const summarise = defineTask("chapter.summarise", {
  input: z.object({ chapterId: z.string() }),
  output: z.object({ summary: z.string() }),
  retry: { maxAttempts: 5, backoff: exponential({ initialMs: 1_000, maxMs: 300_000 }) },
});

export const bookSummarised = defineEvent("book.summarised", {
  version: "1.0",
  data: z.object({ bookId: z.string() }),
});
