// Follows runs until they end, over the port or over HTTP, and tells how late each event came.
import { followRun } from "@intermodal/core/client";
import type { JsonValue } from "@intermodal/core/ports";
import { settings, tell } from "../test/faults/parent.ts";
import { percentile } from "./figures.ts";
import { nowMs, openStreams, runIds, type Stamp, type StreamsPlace } from "./streams-place.ts";

export interface SubscriberSettings extends StreamsPlace {
  readonly runs: number;
  /** Subscribers of each run. */
  readonly each: number;
  /** Absent: over the port. */
  readonly http?: string | undefined;
}

export type SubscriberTold = { readonly ready: true } | { readonly received: Received };

export interface Received {
  /** By run: how many events its subscribers got together. */
  readonly events: readonly number[];
  /** Whether each subscriber got 1, 2, 3 … and nothing else. */
  readonly gapless: boolean;
  /** Of the measured ones: latency in milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly longest: number;
  readonly measured: number;
  /** Of one core, from the first to the last event. */
  readonly cpu: number;
}

interface Entry {
  readonly sequence: number;
  readonly data: JsonValue;
}

const { runs, each, http, ...place } = settings<SubscriberSettings>();
const { adapter, streams } = await openStreams(place, "bench-subscriber");
const follow = (id: string): AsyncIterable<Entry | { readonly gap: unknown }> =>
  http === undefined ? streams.follow(id) : followRun(`${http}/runs/${id}/events`);

const latencies: number[] = [];
const events = runIds(runs).map(() => 0);
let gapless = true;
let first: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;

async function subscribe(id: string, run: number): Promise<void> {
  let last = 0;
  for await (const entry of follow(id)) {
    const now = nowMs();
    first ??= { at: now, cpu: process.cpuUsage() };
    if ("gap" in entry || entry.sequence !== last + 1) gapless = false;
    if ("gap" in entry) continue;
    last = entry.sequence;
    events[run] = (events[run] ?? 0) + 1;
    const { at, warm } = entry.data as unknown as Stamp;
    if (!warm) latencies.push(now - at);
  }
}

const following = runIds(runs).flatMap((id, run) => Array.from({ length: each }, () => subscribe(id, run)));
await tell({ ready: true } satisfies SubscriberTold);
await Promise.all(following);
const { at = nowMs(), cpu } = first ?? {};
const { user, system } = process.cpuUsage(cpu);
latencies.sort((a, b) => a - b);
const received: Received = {
  events,
  gapless,
  p50: percentile(latencies, 50),
  p95: percentile(latencies, 95),
  p99: percentile(latencies, 99),
  longest: latencies.at(-1) ?? Number.NaN,
  measured: latencies.length,
  cpu: (user + system) / 1_000 / (nowMs() - at),
};
await tell({ received } satisfies SubscriberTold);
await adapter.close();
