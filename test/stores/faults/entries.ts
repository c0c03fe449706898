import type { RunEntry } from "@intermodal/core";

/** All that is yielded, once it ends. */
export async function collect<Entry>(entries: AsyncIterable<Entry>): Promise<readonly Entry[]> {
  const collected: Entry[] = [];
  for await (const entry of entries) collected.push(entry);
  return collected;
}

/** The sequences, with a gap for what is gone: gapless from 1 is `numbers(…, 1)`. */
export function sequencesOf(entries: readonly RunEntry[]): readonly (number | "gap")[] {
  return entries.map((entry) => ("gap" in entry ? "gap" : entry.sequence));
}

export function namesOf(entries: readonly RunEntry[]): readonly string[] {
  return entries.map((entry) => ("gap" in entry ? "gap" : entry.name));
}
