import type { EventStream, StoredRunEvent, StreamGap } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../../packages/core/src/memory/server.ts";
import { override, perServer, type Sabotage } from "../sabotage.ts";

/** What a sabotage has at hand besides the stream that it breaks. */
export interface Surroundings {
  readonly server: MemoryServer;
  readonly adapter: MemoryAdapter;
  /** Shared by all clients of a server. */
  readonly shared: Map<string, unknown>;
}

export type Break = readonly [
  name: string,
  breaks: readonly string[],
  change: (stream: EventStream, surroundings: Surroundings) => Partial<EventStream>,
];

export type Entry = StoredRunEvent | StreamGap;

/** The cases that must fail are named without their prefix. */
export function sabotagesOf(breaks: readonly Break[]): readonly Sabotage[] {
  return breaks.map(([name, caseNames, change]) => {
    const sharedBy = perServer(() => new Map<string, unknown>());
    return {
      name: `event-stream ${name}`,
      subject: "eventStream",
      breaks: caseNames.map((caseName) => `event-stream/${caseName}`),
      wrap: (adapter, server) => {
        const stream = adapter.eventStream;
        const changed = override<EventStream>(stream, change(stream, { server, adapter, shared: sharedBy(server) }));
        return override(adapter, { eventStream: changed as typeof stream });
      },
    };
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Every event and gap that is followed, changed; `undefined` is left out. */
export async function* changed(
  entries: AsyncIterable<Entry>,
  change: (entry: Entry) => Entry | undefined,
): AsyncGenerator<Entry, void, undefined> {
  for await (const entry of entries) {
    const result = change(entry);
    if (result !== undefined) yield result;
  }
}
