import type { EventStream } from "@intermodal/core/ports";
import type { Figure } from "./figures.ts";
import { type BenchOptions, newPlace, nowMs, openStreams } from "./streams-place.ts";
import { withProcesses } from "./streams-processes.ts";

const EVENTS = 10_000;
const BATCH = 500;
const PAGE = 1_000;
const RUN = "long";
/** The machine's first look at anything is slow: what is measured is the second. */
const TIMES = 3;

/** How long it takes to read a long run that is over. */
export async function measureHistory(options: BenchOptions): Promise<readonly Figure[]> {
  const place = newPlace(options);
  const { adapter, streams } = await openStreams(place, "bench-history");
  try {
    const writtenMs = await timed(() => write(streams));
    const figures: Figure[] = [{ name: `${EVENTS} events appended, ${BATCH} at a time`, value: writtenMs, unit: "ms" }];
    const add = async (how: string, read: () => Promise<number>) => {
      const times: number[] = [];
      for (let time = 0; time < TIMES; time++) {
        const tookMs = await timed(async () => {
          const count = await read();
          if (count !== EVENTS) throw new Error(`${how} read ${count} of ${EVENTS} events`);
        });
        times.push(tookMs);
      }
      figures.push({ name: `${EVENTS} events read ${how}`, value: Math.max(...times), unit: "ms", must: 1_000 });
    };
    await add(`in pages of ${PAGE}`, () => readPages(streams));
    await add("by following", () => count(streams.follow(RUN)));
    await withProcesses(0, async (processes) => {
      const url = `${await processes.serve(place)}/runs/${RUN}/events`;
      await add("as JSON over HTTP", () => readJson(url));
      await add("as SSE over HTTP", () => readSse(url));
    });
    return figures;
  } finally {
    await adapter.close();
  }
}

async function write(streams: EventStream): Promise<void> {
  for (let first = 1; first < EVENTS; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, EVENTS - first) }, (_, at) => first + at);
    await streams.append([{ streamId: RUN, events: numbers.map((n) => eventOf(n, "token")) }]);
  }
  await streams.finish([{ streamId: RUN, event: eventOf(EVENTS, "lifecycle.completed"), ttlMs: 600_000 }]);
}

function eventOf(n: number, event: string) {
  const data = { index: n, text: "what a model says next" };
  return { writer: "bench", n, timestamp: Date.now(), source: "bench", event, data };
}

async function readPages(streams: EventStream): Promise<number> {
  let read = 0;
  for (;;) {
    const { events, last } = await streams.read(RUN, { after: read, limit: PAGE });
    read += events.length;
    if (read >= last || events.length === 0) return read;
  }
}

async function readJson(url: string): Promise<number> {
  let [read, after] = [0, 0];
  for (;;) {
    const response = await fetch(`${url}?after=${after}&limit=${PAGE}`, { headers: { accept: "application/json" } });
    const page = (await response.json()) as { events: readonly unknown[]; next: number; last: number };
    read += page.events.length;
    after = page.next;
    if (after >= page.last || page.events.length === 0) return read;
  }
}

/** What a client that parses nothing receives. */
async function readSse(url: string): Promise<number> {
  const response = await fetch(url, { headers: { accept: "text/event-stream" } });
  return (await response.text()).match(/^id:/gm)?.length ?? 0;
}

async function count(entries: AsyncIterable<unknown>): Promise<number> {
  let read = 0;
  for await (const _ of entries) read++;
  return read;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = nowMs();
  await run();
  return nowMs() - begun;
}
