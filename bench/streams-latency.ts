import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Figure } from "./figures.ts";
import { type BenchOptions, newPlace, nowMs } from "./streams-place.ts";
import { withProcesses } from "./streams-processes.ts";

const WARM_MS = 1_500;
const LATENCY = { goal: 10, must: 100 };
/** Of one process, and how many runs they share: as many events a second arrive as elsewhere. */
const MANY = { subscribers: 1_000, runs: 100 };
const CONNECTIONS = 3;
/** In which a process of subscribers has opened all that it opens. */
const SETTLE_MS = 1_000;

interface Shape {
  readonly title: string;
  readonly runs: number;
  /** Subscribers of each run. */
  readonly each: number;
  readonly rate: number;
  readonly http?: boolean | undefined;
  /** Tells CPU and connections too. */
  readonly inDetail?: boolean | undefined;
}

/** How long it takes from an append in one process to a subscriber in another. */
export async function measureLatency(options: BenchOptions): Promise<readonly Figure[]> {
  const { subscribers, rate } = options;
  const each = Math.ceil(MANY.subscribers / MANY.runs);
  const manyRate = Math.max(1, Math.round((subscribers * rate) / MANY.subscribers));
  const shapes: readonly Shape[] = [
    { title: `1 run × ${subscribers} subscribers, ${rate}/s`, runs: 1, each: subscribers, rate },
    { title: `${subscribers} runs × 1 subscriber, ${rate}/s each`, runs: subscribers, each: 1, rate },
    { title: `1 run × ${subscribers} subscribers over SSE, ${rate}/s`, runs: 1, each: subscribers, rate, http: true },
    {
      title: `${MANY.runs} runs × ${each} subscribers on one process, ${manyRate}/s each`,
      runs: MANY.runs,
      each,
      rate: manyRate,
      inDetail: true,
    },
  ];
  const figures: Figure[] = [];
  for (const shape of shapes) figures.push(...(await measureShape(options, shape)));
  return figures;
}

async function measureShape(options: BenchOptions, shape: Shape): Promise<readonly Figure[]> {
  const { title, runs, each, rate, http = false, inDetail = false } = shape;
  const place = newPlace(options);
  const { written, received, connections, storeCpu } = await withProcesses(
    options.seconds * 1_000,
    async (processes) => {
      const server = http ? await processes.serve(place) : undefined;
      const before = inDetail ? await countConnections(place.url) : undefined;
      const subscriber = await processes.subscribe({ ...place, runs, each, http: server });
      if (before !== undefined) await sleep(SETTLE_MS);
      const connections = before === undefined ? undefined : ((await countConnections(place.url)) ?? 0) - before;
      const load = await loadOf(place.url);
      const written = await processes.write({ ...place, runs, rate, warmMs: WARM_MS, forMs: options.seconds * 1_000 });
      return { written, received: await subscriber.received(), connections, storeCpu: await load?.() };
    },
  );
  const wanted = written.events.reduce((sum, events) => sum + events * each, 0);
  const got = received.gapless ? received.events.reduce((sum, events) => sum + events, 0) : 0;
  return [
    { name: `${title}: P50`, value: received.p50, unit: "ms" },
    { name: `${title}: P95`, value: received.p95, unit: "ms", ...LATENCY },
    { name: `${title}: P99`, value: received.p99, unit: "ms" },
    { name: `${title}: longest`, value: received.longest, unit: "ms" },
    { name: `${title}: delivered`, value: (100 * got) / wanted, unit: "%", must: 100, good: "at least" },
    { name: `${title}: subscribers' CPU`, value: 100 * received.cpu, unit: "% of a core" },
    { name: `${title}: writer's CPU`, value: 100 * written.cpu, unit: "% of a core" },
    ...(storeCpu === undefined ? [] : [{ name: `${title}: store's CPU`, value: 100 * storeCpu, unit: "% of a core" }]),
    ...(connections === undefined
      ? []
      : [{ name: `${title}: connections to the store`, value: connections, unit: "", must: CONNECTIONS }]),
  ];
}

/** How many connections the store sees. `undefined` where it is asked in another way. */
async function countConnections(url: string): Promise<number | undefined> {
  return askRedis(
    url,
    async (redis) =>
      String(await redis.client("LIST"))
        .trim()
        .split("\n").length,
  );
}

/** Begins to measure what the store takes of the processor. @returns how much of a core it was. `undefined` where it is asked in another way. */
async function loadOf(url: string): Promise<(() => Promise<number>) | undefined> {
  const used = () =>
    askRedis(url, async (redis) => {
      const found = [...(await redis.info("cpu")).matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)];
      return found.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
    });
  const [begun, before] = [nowMs(), await used()];
  if (before === undefined) return undefined;
  return async () => (1_000 * (((await used()) ?? before) - before)) / (nowMs() - begun);
}

async function askRedis<Answer>(url: string, ask: (redis: Redis) => Promise<Answer>): Promise<Answer | undefined> {
  if (!/^rediss?:/.test(url)) return undefined;
  const redis = new Redis(url);
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
