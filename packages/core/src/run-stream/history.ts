import type { StreamGap, StreamPage } from "../ports/event-stream.ts";
import { eventId } from "./event-id.ts";
import { type RunSegment, toWire, type WireRunEvent } from "./run-event.ts";

/** The most events of one page. */
export const MAX_PAGE = 1_000;

/** A page of a run's history on the wire. */
export interface WireHistoryPage {
  readonly events: readonly WireRunEvent[];
  /** What to ask for as `after` to read on. */
  readonly next: string;
  /** The highest sequence so far; 0 where there is none yet. */
  readonly last: number;
  /** The run is over: nothing will come after `last`. */
  readonly ended: boolean;
  /** What was asked for and is gone. */
  readonly gap?: StreamGap["gap"] | undefined;
}

export function historyPage({ runId, segment }: RunSegment, after: number, page: StreamPage): WireHistoryPage {
  return {
    events: page.events.map((event) => toWire(runId, event)),
    next: eventId({ segment, sequence: page.events.at(-1)?.sequence ?? page.gap?.to ?? after }),
    last: page.last,
    ended: page.ended,
    gap: page.gap,
  };
}
