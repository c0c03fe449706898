import type { Figure } from "./figures.ts";
import type { Idle, IdlerSettings } from "./streams-idler.ts";
import { type BenchOptions, newPlace } from "./streams-place.ts";
import { withProcesses } from "./streams-processes.ts";

const SUBSCRIBERS = 1_000;
const SHAPES = [
  { title: `${SUBSCRIBERS} idle subscribers of as many runs`, runs: SUBSCRIBERS, each: 1 },
  { title: `${SUBSCRIBERS} idle subscribers of one run`, runs: 1, each: SUBSCRIBERS },
];

/** What a subscriber holds while nothing happens. */
export async function measureMemory(options: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { title, runs, each } of SHAPES) {
    const settings: IdlerSettings = { ...newPlace(options), runs, each };
    const { heap, rss } = await withProcesses(0, (processes) => processes.ask<Idle>("idler", settings));
    figures.push({ name: `${title}: heap each`, value: heap / 1_024, unit: "KiB" });
    figures.push({ name: `${title}: resident memory each`, value: rss / 1_024, unit: "KiB" });
  }
  return figures;
}
