import {
  followRun,
  type Interruption,
  type NamedRunEvent,
  type RunGap,
  RunStreamError,
  type SdkRunEvents,
} from "@intermodal/core/client";
import type { AgentEvents } from "../contracts.ts";

export type PageEvent = NamedRunEvent<AgentEvents>;

/** What the page wants to know while a run is followed. */
export interface Watcher {
  event(event: PageEvent): void;
  gap(gap: RunGap["gap"]): void;
  /** A connection stands. */
  open(): void;
  /** None stands; the reader makes another one. */
  connecting(reason: string): void;
  /** The server has said that there is no more. */
  ended(): void;
  /** The server has refused, and does not say why: it may have no more. */
  refused(): void;
  /** @param isFinal Trying again would not help. */
  failed(reason: string, isFinal: boolean): void;
}

/** Follows a run's events behind the one with the id `after`, or from the start. @returns cuts the connection. */
export type Follow = (url: string, after: string | undefined, watcher: Watcher) => () => void;

/** With the SDK's client: it comes back by itself, sends headers where it is given any, and checks that nothing is missing. */
export const followWithFetch: Follow = (url, after, watcher) => {
  const cut = new AbortController();
  const { gap: onGap, open: onOpen } = watcher;
  const onInterrupted = ({ reason }: Interruption) => watcher.connecting(reason);
  const follow = async () => {
    const options = { lastEventId: after, signal: cut.signal, onGap, onOpen, onInterrupted };
    for await (const event of followRun<AgentEvents>(url, options)) watcher.event(event);
    if (!cut.signal.aborted) watcher.ended();
  };
  follow().catch((error: Error) => watcher.failed(error.message, error instanceof RunStreamError));
  return () => cut.abort();
};

/** With what every browser has. It comes back by itself, with the last event's id; a 204 tells it that the run is over. */
export const followWithEventSource: Follow = (url, after, watcher) => {
  const source = new EventSource(after === undefined ? url : `${url}?lastEventId=${after}`);
  const brokeOff = "the connection broke off";
  let reason = brokeOff;
  source.onopen = () => {
    reason = brokeOff;
    watcher.open();
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING) watcher.connecting(reason);
    else watcher.refused();
  };
  // The server ends the connection behind it.
  source.addEventListener("unavailable", ({ data }: MessageEvent<string>) => {
    reason = JSON.parse(data).detail;
    watcher.connecting(reason);
  });
  for (const name of NAMES) {
    source.addEventListener(name, ({ data, lastEventId: id }: MessageEvent<string>) => {
      const { run_id, event, ...entry } = JSON.parse(data);
      watcher.event({ runId: run_id, id, name: event, ...entry });
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
