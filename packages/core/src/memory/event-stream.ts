import { answersOf, tryEach } from "../adapter/each.ts";
import { freezePayload } from "../adapter/payload.ts";
import { MAX_EVENT_DATA_BYTES, takeRunEvent } from "../adapter/run-events.ts";
import type {
  EventStream,
  EventStreamCapabilities,
  NewRunEvent,
  ReadOptions,
  StoredRunEvent,
  StreamAppend,
  StreamFinish,
  StreamGap,
  StreamPage,
} from "../ports/event-stream.ts";
import type { MemoryConnection } from "./connection.ts";
import { Follower } from "./follower.ts";
import type { Store } from "./store.ts";
import { SAFETY_TTL_MS, type StreamTable } from "./stream-table.ts";

const DEFAULT_LIMIT = 1_000;

/**
 * Run streams in the memory of one process. Stored events are shared between all readers, and frozen. A stream that expires while it is followed ends
 * the iteration with `CURSOR_INVALID`.
 */
export class MemoryEventStream implements EventStream {
  readonly capabilities: EventStreamCapabilities;
  readonly #connection: MemoryConnection;
  readonly #streams: StreamTable;

  constructor(store: Store, connection: MemoryConnection, namespace: string) {
    this.capabilities = {
      maxEvents: store.limits.maxStreamEvents,
      maxDataBytes: MAX_EVENT_DATA_BYTES,
      safetyTtlMs: SAFETY_TTL_MS,
      ttlGranularityMs: 0,
    };
    this.#connection = connection;
    this.#streams = store.namespace(namespace).streams;
  }

  async append(appends: readonly StreamAppend[]): Promise<readonly (readonly number[])[]> {
    const taken = tryEach(appends, ({ streamId, events }) => ({ streamId, events: events.map(take) }));
    const answers = await this.#connection.call("append", () =>
      tryEach(taken, ({ streamId, events }) => this.#streams.append(streamId, events)),
    );
    return answersOf(answers);
  }

  async finish(finishes: readonly StreamFinish[]): Promise<void> {
    const taken = tryEach(finishes, ({ streamId, event, ttlMs }) => ({ streamId, event: take(event), ttlMs }));
    const answers = await this.#connection.call("finish", () =>
      tryEach(taken, ({ streamId, event, ttlMs }) => this.#streams.finish(streamId, event, ttlMs)),
    );
    answersOf(answers);
  }

  read(streamId: string, { after = 0, limit = DEFAULT_LIMIT }: ReadOptions = {}): Promise<StreamPage> {
    return this.#connection.call("read", () => this.#streams.read(streamId, after, limit));
  }

  follow(
    streamId: string,
    { after = 0, signal }: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<StoredRunEvent | StreamGap> {
    return {
      [Symbol.asyncIterator]: () => new Follower(this.#streams, this.#connection, streamId, after, signal),
    };
  }
}

function take(event: NewRunEvent): NewRunEvent {
  const taken = takeRunEvent(event);
  freezePayload(taken.data);
  return taken;
}
