import { defineEvent, defineTask, exponential } from "@intermodal/core/contracts";
import { z } from "zod";

/** Where the book is. The tasks that need the whole book read it there; those of one chapter carry their text, so they run anywhere. */
const source = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("moby-dick") }),
  z.object({ kind: z.literal("file"), path: z.string() }),
]);
export type BookSource = z.infer<typeof source>;

const chapter = z.object({
  position: z.number().int().positive(),
  label: z.string(),
  title: z.string(),
  text: z.string().min(1),
});

const scene = z.object({
  setting: z.string(),
  mood: z.string(),
  characters: z.array(z.string()).readonly(),
  quote: z.string(),
});

/** Tasks that ask the model. Each kind has a queue of its own, so that neither waits for the other. */
const MODEL = {
  retry: { maxAttempts: 5, backoff: exponential({ initialMs: 250, maxMs: 10_000 }) },
  timeoutMs: 30_000,
} as const;

/** Tasks that only hand out work, and need the book's file. */
const LIBRARY = { queue: "library" } as const;

export const generateSummary = defineTask("generateSummary", {
  input: chapter,
  output: z.object({ position: z.number(), summary: z.string() }),
  queue: "summaries",
  ...MODEL,
});

export const generateScene = defineTask("generateScene", {
  input: chapter,
  output: z.object({ position: z.number(), scene }),
  queue: "scenes",
  ...MODEL,
});

/** One sub-task for each chapter. The result says under which parent to find them. */
const batch = { input: z.object({ source }), output: z.object({ batchId: z.string() }), ...LIBRARY };
export const batchGenerateSummary = defineTask("batchGenerateSummary", batch);
export const batchGenerateScene = defineTask("batchGenerateScene", batch);

export const importNovel = defineTask("importNovel", {
  input: z.object({ source, file: z.string() }),
  output: z.object({
    file: z.string(),
    chapters: z.number(),
    retries: z.number(),
    /** Tasks that ended without a result. */
    failed: z.number(),
    /** Chapters that lack something, by name. */
    incomplete: z.array(z.string()),
  }),
  ...LIBRARY,
});

export const novelImported = defineEvent("novel.imported", {
  version: "1.0",
  data: z.object({
    /** The run that imported it. */
    importId: z.string(),
    title: z.string(),
    author: z.string().optional(),
    chapters: z.number(),
    words: z.number(),
    file: z.string(),
    incomplete: z.array(z.string()),
  }),
});
