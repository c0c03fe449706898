import { type Adapter, type EventStream, silentLogger, systemClock } from "@intermodal/core/ports";
import { AdapterCatalogue } from "../packages/core/src/app/config.ts";

/** What is measured, on which store. */
export interface BenchOptions {
  readonly url: string;
  readonly subscribers: number;
  /** Events a second of each run. */
  readonly rate: number;
  readonly seconds: number;
}

/** Where the streams of one measurement are. */
export interface StreamsPlace {
  readonly url: string;
  readonly namespace: string;
}

/** The data of every event: when its append was about to be made, by {@link nowMs}. */
export interface Stamp {
  readonly at: number;
  /** Of the time in which nothing is measured yet. */
  readonly warm: boolean;
  /** About as long as what a model says next. */
  readonly text: string;
}

let places = 0;

/** A namespace that nobody else uses. */
export function newPlace({ url }: BenchOptions): StreamsPlace {
  return { url, namespace: `bench-${Date.now().toString(36)}-${process.pid}-${++places}` };
}

/** @param node names the process to the server. */
export async function openStreams(
  { url, namespace }: StreamsPlace,
  node: string,
): Promise<{ readonly adapter: Adapter; readonly streams: EventStream }> {
  const factory = await new AdapterCatalogue([]).load(url);
  const adapter = factory.create({ url, namespace, node, clock: systemClock, logger: silentLogger });
  const { eventStream } = adapter;
  if (eventStream === undefined) throw new Error(`"${adapter.name}" has no event stream`);
  await adapter.connect();
  return { adapter, streams: eventStream };
}

export function runIds(runs: number): readonly string[] {
  return Array.from({ length: runs }, (_, run) => `run-${run}`);
}

/** Milliseconds by the machine's one steady clock, so that processes on it can compare them; wall clocks would be set meanwhile. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
