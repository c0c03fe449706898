import { followRun, type NamedRunEvent, type RunGap, type SdkRunEvents } from "@intermodal/core/client";
import type { AgentEvents } from "../contracts.ts";

export type PageEvent = NamedRunEvent<AgentEvents>;

/** What the page wants to know while a run is followed. */
export interface Watcher {
  event(event: PageEvent): void;
  gap(gap: RunGap["gap"]): void;
  /** A connection stands. */
  open(): void;
  /** None stands; the reader is about to make one. */
  connecting(): void;
  /** The run is over and everything is here. */
  ended(): void;
  failed(reason: string): void;
}

/** Follows a run's events behind the sequence `after`. @returns cuts the connection. */
export type Follow = (url: string, after: number, watcher: Watcher) => () => void;

/** With the SDK's client: it comes back by itself, sends headers where it is given any, and checks that nothing is missing. */
export const followWithFetch: Follow = (url, after, watcher) => {
  const cut = new AbortController();
  const watched: typeof fetch = async (input, init) => {
    watcher.connecting();
    const response = await fetch(input, init);
    if (response.ok) watcher.open();
    return response;
  };
  const follow = async () => {
    const options = { lastEventId: after, signal: cut.signal, fetch: watched, onGap: watcher.gap };
    for await (const event of followRun<AgentEvents>(url, options)) watcher.event(event);
    if (!cut.signal.aborted) watcher.ended();
  };
  follow().catch((error: unknown) => watcher.failed(error instanceof Error ? error.message : String(error)));
  return () => cut.abort();
};

/** With what every browser has. It comes back by itself, with the last event's id; a 204 tells it that the run is over. */
export const followWithEventSource: Follow = (url, after, watcher) => {
  const source = new EventSource(after > 0 ? `${url}?lastEventId=${after}` : url);
  let last = "";
  source.onopen = () => watcher.open();
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING) watcher.connecting();
    else if (last.startsWith("lifecycle.") && last !== "lifecycle.progress") watcher.ended();
    else watcher.failed("the server refuses");
  };
  for (const name of NAMES) {
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      last = name;
      const { run_id, event, ...entry } = JSON.parse(data);
      watcher.event({ runId: run_id, name: event, ...entry });
    });
  }
  source.addEventListener("gap", ({ data }: MessageEvent<string>) => watcher.gap(JSON.parse(data)));
  return () => source.close();
};

/** An EventSource hears what it listens to only. */
const NAMES: readonly (keyof AgentEvents | keyof SdkRunEvents)[] = [
  "lifecycle.started",
  "lifecycle.progress",
  "lifecycle.retrying",
  "lifecycle.completed",
  "lifecycle.failed",
  "plan",
  "tool.call",
  "tool.result",
  "token",
];
