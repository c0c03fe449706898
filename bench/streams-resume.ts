import { setTimeout as sleep } from "node:timers/promises";
import { startProxy, type Proxy as TcpProxy } from "../test/servers/index.ts";
import type { Figure } from "./figures.ts";
import { type BenchOptions, newPlace } from "./streams-place.ts";
import { withProcesses } from "./streams-processes.ts";

/** Between two cuts. */
const CUT = { leastMs: 100, mostMs: 600 };
const RUNS = 5;
const WARM_MS = 0;

/** Cuts connections at random moments, and counts what arrives: every event of every run once, or nothing counts. */
export async function measureResuming(options: BenchOptions): Promise<readonly Figure[]> {
  return [
    ...(await measure(options, "connections of readers to the store cut", false)),
    ...(await measure(options, "connections of SSE clients cut", true)),
  ];
}

async function measure(options: BenchOptions, title: string, http: boolean): Promise<readonly Figure[]> {
  const place = newPlace(options);
  const each = Math.max(1, Math.round(options.subscribers / RUNS));
  return withProcesses(options.seconds * 1_000, async (processes) => {
    const behind = new URL(http ? await processes.serve(place) : place.url);
    const proxy = await startProxy(Number(behind.port || 6379));
    try {
      behind.port = String(proxy.port);
      const through = behind.toString().replace(/\/$/, "");
      const settings = { ...place, runs: RUNS, each };
      const subscriber = await processes.subscribe(
        http ? { ...settings, http: through } : { ...settings, url: through },
      );
      const over = new AbortController();
      const cutting = cutUntil(proxy, over.signal);
      const forMs = options.seconds * 1_000;
      const written = await processes.write({ ...place, runs: RUNS, rate: options.rate, warmMs: WARM_MS, forMs });
      over.abort();
      const cuts = await cutting;
      const received = await subscriber.received();
      const wanted = written.events.reduce((sum, events) => sum + events * each, 0);
      const got = received.gapless ? received.events.reduce((sum, events) => sum + events, 0) : 0;
      const delivered = (100 * got) / wanted;
      return [
        { name: `${title} ${cuts} times: delivered`, value: delivered, unit: "%", must: 100, good: "at least" },
        { name: `${title} ${cuts} times: longest`, value: received.longest, unit: "ms" },
      ];
    } finally {
      await proxy.close();
    }
  });
}

async function cutUntil(proxy: TcpProxy, signal: AbortSignal): Promise<number> {
  for (let cuts = 0; ; cuts++) {
    const pause = CUT.leastMs + Math.random() * (CUT.mostMs - CUT.leastMs);
    await sleep(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return cuts;
    proxy.breakConnections();
  }
}
