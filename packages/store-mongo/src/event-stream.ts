import { MAX_EVENT_DATA_BYTES, takeRunEvent, tryEach } from "@intermodal/core/adapter";
import type {
  EventStream,
  EventStreamCapabilities,
  ReadOptions,
  StoredRunEvent,
  StreamAppend,
  StreamFinish,
  StreamGap,
  StreamPage,
} from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { StreamAppender } from "./stream-appender.ts";
import { StreamJanitor } from "./stream-janitor.ts";
import { StreamLog } from "./stream-log.ts";
import { PAGE_BYTES, StreamReader } from "./stream-reader.ts";
import { StreamWatch } from "./stream-watch.ts";

const DEFAULT_LIMIT = 1_000;

/** Run streams in MongoDB: each append is one document. */
export class MongoEventStream implements EventStream {
  readonly capabilities: EventStreamCapabilities;
  readonly #session: Session;
  readonly #appender: StreamAppender;
  readonly #reader: StreamReader;
  readonly #watch: StreamWatch;

  constructor(session: Session) {
    const { maxStreamEvents, streamSafetyTtlMs } = session.settings;
    this.capabilities = {
      maxEvents: maxStreamEvents,
      maxDataBytes: MAX_EVENT_DATA_BYTES,
      safetyTtlMs: streamSafetyTtlMs,
      ttlGranularityMs: 0,
    };
    this.#session = session;
    const log = new StreamLog(session);
    const janitor = new StreamJanitor(session, log);
    this.#reader = new StreamReader(session, log);
    this.#watch = new StreamWatch(session, log, this.#reader);
    this.#appender = new StreamAppender(session, log, (stream, chunk) => {
      this.#watch.stored(stream.streamId, chunk);
      return janitor.visit(stream);
    });
  }

  async append(appends: readonly StreamAppend[]): Promise<readonly (readonly number[])[]> {
    this.#session.assertOpen("append");
    const puts = tryEach(appends, ({ streamId, events }) => ({
      streamId,
      events: events.map((event) => takeRunEvent(event)),
    }));
    return this.#appender.put(puts);
  }

  async finish(finishes: readonly StreamFinish[]): Promise<void> {
    this.#session.assertOpen("finish");
    const puts = tryEach(finishes, ({ streamId, event, ttlMs }) => ({
      streamId,
      events: [takeRunEvent(event)],
      ttlMs,
    }));
    await this.#appender.put(puts);
  }

  async read(streamId: string, { after = 0, limit = DEFAULT_LIMIT }: ReadOptions = {}): Promise<StreamPage> {
    this.#session.assertOpen("read");
    const limits = { limit, whole: false, maxBytes: PAGE_BYTES };
    const page = await this.#reader.read("read", streamId, after, limits);
    const { events, gap, last, ended } = page;
    return gap === undefined ? { events, last, ended } : { events, gap, last, ended };
  }

  follow(
    streamId: string,
    options: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncIterable<StoredRunEvent | StreamGap> {
    return this.#watch.log.follow(streamId, options);
  }
}
