import { type EventStream, IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import { aborted, type Break, type Entry } from "./stream.ts";

type Follow = EventStream["follow"];
type Options = Parameters<Follow>[1];

/** History, then, after a moment in which things may come, what comes from there on. */
async function* withHole(stream: EventStream, streamId: string, { after, signal }: NonNullable<Options>) {
  const history = await stream.read(streamId, { after });
  yield* history.events;
  if (history.ended) return;
  for (let turn = 0; turn < 5; turn++) await undefined;
  const { last } = await stream.read(streamId);
  yield* stream.follow(streamId, { after: last, signal });
}

async function* historyOnly(stream: EventStream, streamId: string, { after, signal }: NonNullable<Options>) {
  const history = await stream.read(streamId, { after });
  yield* history.events;
  if (!history.ended) await aborted(signal);
}

async function* withoutEnd(entries: AsyncIterable<Entry>, signal: AbortSignal | undefined) {
  yield* entries;
  await aborted(signal);
}

/** Gathers whatever comes, however slowly it is asked for. */
async function* gathered(entries: AsyncIterable<Entry>) {
  const buffer: Entry[] = [];
  let over = false;
  let news = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const entry of entries) {
      buffer.push(entry);
      news.resolve();
    }
  })().finally(() => {
    over = true;
    news.resolve();
  });
  reading.catch(() => {});
  for (let at = 0; ; at++) {
    while (at >= buffer.length) {
      if (over) return reading;
      await news.promise;
      news = Promise.withResolvers();
    }
    yield buffer[at] as Entry;
  }
}

function failing(method: string): never {
  throw new IntermodalError("UNAVAILABLE", `${method}: away`);
}

/** Broken promises about following, and about outages. */
export const FOLLOWING: readonly Break[] = [
  [
    "misses what comes while it goes from history to live",
    ["hand-over"],
    (stream) => ({ follow: (streamId, options = {}) => withHole(stream, streamId, options) }),
  ],
  [
    "gives twice what it gave as history",
    ["live", "hand-over", "resume"],
    (stream) => ({
      follow: async function* (streamId, options) {
        for await (const entry of stream.follow(streamId, options)) {
          yield entry;
          if ("sequence" in entry && entry.sequence === 2) yield entry;
        }
      },
    }),
  ],
  [
    "tells nothing live",
    ["live", "follow-ends", "many-readers", "hand-over", "read-whole"],
    (stream) => ({ follow: (streamId, options = {}) => historyOnly(stream, streamId, options) }),
  ],
  [
    "waits on after the end",
    ["follow-ends", "many-readers", "resume", "hand-over"],
    (stream) => ({
      follow: (streamId, options) => withoutEnd(stream.follow(streamId, options), options?.signal),
    }),
  ],
  [
    "follows on whatever the signal says",
    ["follow-left", "live"],
    (stream) => ({ follow: (streamId, options) => stream.follow(streamId, { after: options?.after }) }),
  ],
  [
    "gathers everything for a slow reader",
    ["slow-reader"],
    (stream) => ({ follow: (streamId, options) => gathered(stream.follow(streamId, options)) }),
  ],
  [
    "lets followers go when the connection breaks",
    ["follow-over-cut", "follow-over-restart"],
    (stream, { adapter }) => ({
      follow: async function* (streamId, options) {
        const broken = new AbortController();
        const stop = adapter.connection.onLost(() => broken.abort());
        const signals = options?.signal === undefined ? [broken.signal] : [broken.signal, options.signal];
        try {
          yield* stream.follow(streamId, { after: options?.after, signal: AbortSignal.any(signals) });
        } finally {
          stop();
        }
        if (broken.signal.aborted && !adapter.connection.isClosed) failing("follow");
      },
    }),
  ],
  [
    "says that it is away when it is closed",
    ["closed"],
    (stream) => {
      const told = (error: unknown) => (isIntermodalError(error, "CLOSED") ? failing("closed") : Promise.reject(error));
      return {
        append: (appends) => stream.append(appends).catch(told),
        finish: (finishes) => stream.finish(finishes).catch(told),
        read: (streamId, options) => stream.read(streamId, options).catch(told),
      };
    },
  ],
  [
    "lets followers wait on when it is closed",
    ["closed"],
    (stream) => ({
      follow: async function* (streamId, options) {
        try {
          yield* stream.follow(streamId, options);
        } catch (error) {
          if (!isIntermodalError(error, "CLOSED")) throw error;
          await aborted(options?.signal);
        }
      },
    }),
  ],
  [
    "never answers while it is away",
    ["unreachable", "follow-over-restart"],
    (stream) => {
      const wait = (error: unknown): Promise<never> =>
        isIntermodalError(error, "UNAVAILABLE") && !error.unknown ? new Promise(() => {}) : Promise.reject(error);
      return {
        append: (appends) => stream.append(appends).catch(wait),
        finish: (finishes) => stream.finish(finishes).catch(wait),
        read: (streamId, options) => stream.read(streamId, options).catch(wait),
      };
    },
  ],
];
