// Follows runs that say nothing, and tells what that costs.
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { settings, tell } from "../test/faults/parent.ts";
import { openStreams, runIds, type StreamsPlace } from "./streams-place.ts";

export interface IdlerSettings extends StreamsPlace {
  readonly runs: number;
  /** Subscribers of each run. */
  readonly each: number;
}

/** In bytes, of one subscriber. */
export interface Idle {
  readonly heap: number;
  readonly rss: number;
}

/** In which every subscriber has asked the store, and waits. */
const SETTLE_MS = 2_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const { runs, each, ...place } = settings<IdlerSettings>();
const { adapter, streams } = await openStreams(place, "bench-idler");

async function follow(subscribers: number, streamId: string, signal: AbortSignal): Promise<void> {
  const following = Array.from({ length: subscribers }, async () => {
    for await (const _ of streams.follow(streamId, { signal })) throw new Error("an idle run said something");
  });
  await Promise.all(following);
}

async function used(): Promise<Idle> {
  // What one collection makes unreachable the next one takes.
  for (let time = 0; time < 3; time++) {
    collectGarbage();
    await sleep(50);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

// Everything that is made once is there already.
const warm = new AbortController();
const warming = follow(10, "warm", warm.signal);
await sleep(500);
warm.abort();
await warming;

const before = await used();
const over = new AbortController();
const following = Promise.all(runIds(runs).map((id) => follow(each, id, over.signal)));
await sleep(SETTLE_MS);
const after = await used();
const perSubscriber = (what: keyof Idle) => (after[what] - before[what]) / (runs * each);
await tell({ heap: perSubscriber("heap"), rss: perSubscriber("rss") } satisfies Idle);
over.abort();
await following;
await adapter.close();
