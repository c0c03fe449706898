import type { EventStream, JsonValue, NewRunEvent, StoredRunEvent, StreamGap } from "@intermodal/core/ports";

export function eventOf(n: number, data: JsonValue = n, writer = "w"): NewRunEvent {
  return { writer, n, timestamp: 1, source: "task", event: "token", data };
}

/** A writer's events `from` to `to`, both included. */
export function eventsOf(from: number, to: number, writer = "w"): readonly NewRunEvent[] {
  return Array.from({ length: to - from + 1 }, (_, at) => eventOf(from + at, from + at, writer));
}

/** Follows in the background. */
export function follow(stream: EventStream, streamId: string, after = 0) {
  const entries: (StoredRunEvent | StreamGap)[] = [];
  const ended = (async () => {
    for await (const entry of stream.follow(streamId, { after })) entries.push(entry);
  })();
  // Looked at when the test awaits it.
  ended.catch(() => {});
  return { entries, ended };
}

export function sequencesOf(entries: readonly (StoredRunEvent | StreamGap)[]): readonly (number | StreamGap["gap"])[] {
  return entries.map((entry) => ("gap" in entry ? entry.gap : entry.sequence));
}

export function upTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}
