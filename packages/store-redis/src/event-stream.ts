import {
  answersOf,
  FollowLog,
  freezePayload,
  MAX_EVENT_DATA_BYTES,
  type Tried,
  takeRunEvent,
  tryEach,
} from "@intermodal/core/adapter";
import {
  type EventStream,
  type EventStreamCapabilities,
  IntermodalError,
  isIntermodalError,
  type ReadOptions,
  type StoredRunEvent,
  type StreamAppend,
  type StreamFinish,
  type StreamGap,
  type StreamPage,
} from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { StreamLog, type StreamWrite } from "./stream-log.ts";

const DEFAULT_LIMIT = 1_000;
/** What a follower takes at once: it holds no more. */
const PAGE_EVENTS = 256;
const PAGE_BYTES = 2 * 1024 * 1024;

/**
 * Run streams as Redis streams. Each append is one script: entries get explicit ids `<sequence>-0`, and what was stored already is not stored again. Readers are
 * woken by a message and read the log for the truth.
 */
export class RedisEventStream implements EventStream {
  readonly capabilities: EventStreamCapabilities;
  readonly #session: Session;
  readonly #log: StreamLog;
  readonly #following: FollowLog;

  constructor(session: Session) {
    const { maxStreamEvents, streamSafetyTtlMs, streamPollMs } = session.settings;
    this.capabilities = {
      maxEvents: maxStreamEvents,
      maxDataBytes: MAX_EVENT_DATA_BYTES,
      safetyTtlMs: streamSafetyTtlMs,
      ttlGranularityMs: 0,
    };
    const log = new StreamLog(session);
    this.#session = session;
    this.#log = log;
    this.#following = new FollowLog({
      clock: session.clock,
      pollMs: streamPollMs,
      read: async (streamId, after) => {
        const page = await log.read(streamId, after, PAGE_EVENTS, PAGE_BYTES);
        for (const event of page.events) freeze(event);
        return page;
      },
      watch: (streamId, wake) =>
        session.subscribe(session.names.stream(streamId).channel, { onMessage: wake, onGap: wake }),
      assertOpen: (what) => session.assertOpen(what),
    });
    session.onClose(() => this.#following.close());
  }

  async append(appends: readonly StreamAppend[]): Promise<readonly (readonly number[])[]> {
    this.#session.assertOpen("append");
    const taken = tryEach(appends, ({ streamId, events }) => ({
      streamId,
      events: events.map((e) => takeRunEvent(e)),
    }));
    return answersOf(await this.#write(taken));
  }

  async finish(finishes: readonly StreamFinish[]): Promise<void> {
    this.#session.assertOpen("finish");
    const taken = tryEach(finishes, ({ streamId, event, ttlMs }) => ({
      streamId,
      events: [takeRunEvent(event)],
      finishTtlMs: ttlMs,
    }));
    answersOf(await this.#write(taken));
  }

  async read(streamId: string, { after = 0, limit = DEFAULT_LIMIT }: ReadOptions = {}): Promise<StreamPage> {
    const { incarnation: _, bytes: __, ...page } = await this.#log.read(streamId, after, limit, PAGE_BYTES);
    return page;
  }

  follow(
    streamId: string,
    options?: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<StoredRunEvent | StreamGap> {
    return this.#following.follow(streamId, options);
  }

  /** Streams beside each other; items of one stream after each other, and none after one whose fate is not known: the order of its writer's events would be lost. */
  #write(items: readonly Tried<StreamWrite>[]): Promise<readonly Tried<readonly number[]>[]> {
    const before = new Map<string, Promise<Tried<readonly number[]>>>();
    return Promise.all(
      items.map((item) => {
        if (item instanceof IntermodalError) return item;
        const answer = this.#writeAfter(before.get(item.streamId), item);
        before.set(item.streamId, answer);
        return answer;
      }),
    );
  }

  async #writeAfter(
    before: Promise<Tried<readonly number[]>> | undefined,
    item: StreamWrite,
  ): Promise<Tried<readonly number[]>> {
    const earlier = before === undefined ? undefined : await before;
    if (isIntermodalError(earlier, "UNAVAILABLE")) return earlier;
    try {
      return await this.#log.write(item);
    } catch (error) {
      if (error instanceof IntermodalError) return error;
      throw error;
    }
  }
}

/** Followers of one stream get the same objects. */
function freeze(event: StoredRunEvent): void {
  freezePayload(event.data);
  Object.freeze(event);
}
