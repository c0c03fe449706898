// Writes events to runs, each at its own pace, as a process of workers does; ends the runs at last.
import { setTimeout as sleep } from "node:timers/promises";
import type { NewRunEvent } from "@intermodal/core/ports";
import { settings, tell } from "../test/faults/parent.ts";
import { nowMs, openStreams, runIds, type StreamsPlace } from "./streams-place.ts";

export interface WriterSettings extends StreamsPlace {
  readonly runs: number;
  /** Events a second of each run. */
  readonly rate: number;
  readonly warmMs: number;
  readonly forMs: number;
}

/** How many events each run got, its last one included, and what the process took of the processor meanwhile. */
export interface Written {
  readonly events: readonly number[];
  readonly cpu: number;
}

const { runs, rate, warmMs, forMs, ...place } = settings<WriterSettings>();
const { adapter, streams } = await openStreams(place, "bench-writer");
const ids = runIds(runs);
const written = ids.map(() => 0);
const everyMs = 1_000 / rate;
const begun = nowMs();
const used = process.cpuUsage();
const eventOf = (run: number, event: string): NewRunEvent => {
  const n = (written[run] ?? 0) + 1;
  written[run] = n;
  const at = nowMs();
  const data = { at, warm: at - begun < warmMs, text: "what a model says next" };
  return { writer: "bench", n, timestamp: Date.now(), source: "bench", event, data };
};

const open = new Set<Promise<unknown>>();
for (let elapsed = 0; elapsed < warmMs + forMs; elapsed = nowMs() - begun) {
  // The runs take turns, so that not all are due at once.
  const due = ids.flatMap((streamId, run) => {
    const wanted = Math.floor(elapsed / everyMs + run / runs);
    const count = wanted - (written[run] ?? 0);
    return count <= 0 ? [] : [{ streamId, events: Array.from({ length: count }, () => eventOf(run, "token")) }];
  });
  if (due.length > 0) {
    const append = streams.append(due).finally(() => open.delete(append));
    open.add(append);
  }
  await sleep(1);
}
await Promise.all(open);
await streams.finish(
  ids.map((streamId, run) => ({ streamId, event: eventOf(run, "lifecycle.completed"), ttlMs: 60_000 })),
);
const { user, system } = process.cpuUsage(used);
await tell({ events: written, cpu: (user + system) / 1_000 / (nowMs() - begun) } satisfies Written);
await adapter.close();
