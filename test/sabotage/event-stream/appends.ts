import {
  BatchError,
  isIntermodalError,
  type JsonValue,
  type NewRunEvent,
  type StreamFinish,
} from "@intermodal/core/ports";
import type { Break } from "./stream.ts";

function withoutNul(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value).replaceAll("\\u0000", "")) as JsonValue;
}

/** Broken promises about appending and ending. */
export const APPENDS: readonly Break[] = [
  [
    "stores the events of one append one by one",
    ["gapless"],
    (stream) => ({
      append: (appends) =>
        Promise.all(
          appends.map(async ({ streamId, events }) => {
            const sequences: number[] = [];
            for (const event of events) {
              const [answer] = await stream.append([{ streamId, events: [event] }]);
              sequences.push(...(answer ?? []));
              await undefined;
            }
            return sequences;
          }),
        ),
    }),
  ],
  [
    "answers a batch in another order",
    ["batches"],
    (stream) => ({ append: async (appends) => (await stream.append(appends)).toReversed() }),
  ],
  [
    "stores a repeated append again",
    ["append-once", "append-once-concurrent", "append-once-gone", "lost-append"],
    (stream, { shared }) => {
      const fresh = (event: NewRunEvent): NewRunEvent => {
        const copies = (shared.get("copies") as number | undefined) ?? 0;
        shared.set("copies", copies + 1);
        return { ...event, writer: `${event.writer}#${copies}` };
      };
      return {
        append: (appends) => stream.append(appends.map((append) => ({ ...append, events: append.events.map(fresh) }))),
      };
    },
  ],
  [
    "knows a repeated append as a whole only",
    ["append-once"],
    (stream) => ({
      append: (appends) =>
        stream.append(
          appends.map(({ streamId, events }) => ({
            streamId,
            events: events.map((event) => ({ ...event, writer: `${event.writer}@${events[0]?.n}+${events.length}` })),
          })),
        ),
    }),
  ],
  [
    "goes on after the end",
    ["ended", "ended-in-batch", "ended-concurrent", "follow-ends"],
    (stream) => ({
      finish: async (finishes) => {
        await stream.append(finishes.map(({ streamId, event }) => ({ streamId, events: [event] })));
      },
    }),
  ],
  [
    "lets the last end stand",
    ["ended"],
    (stream, { shared }) => ({
      finish: async (finishes: readonly StreamFinish[]) => {
        for (const { streamId, event } of finishes) shared.set(streamId, event.data);
        await stream.finish(finishes);
      },
      read: async (streamId, options) => {
        const page = await stream.read(streamId, options);
        if (!page.ended) return page;
        const data = shared.get(streamId) as JsonValue;
        return {
          ...page,
          events: page.events.map((event) => (event.sequence === page.last ? { ...event, data } : event)),
        };
      },
    }),
  ],
  [
    "fails a whole batch for one stream that has ended",
    ["ended-in-batch"],
    (stream) => ({
      append: async (appends) => {
        try {
          return await stream.append(appends);
        } catch (error) {
          throw error instanceof BatchError ? (error.cause as Error) : error;
        }
      },
    }),
  ],
  [
    "loses NULs",
    ["hostile-data"],
    (stream) => ({
      append: (appends) =>
        stream.append(
          appends.map(({ streamId, events }) => ({
            streamId,
            events: events.map((event) => ({ ...event, data: withoutNul(event.data) })),
          })),
        ),
    }),
  ],
  [
    "takes any name of an event",
    ["hostile-names"],
    (stream) => {
      const cleaned = (event: NewRunEvent) => ({ ...event, event: event.event.replace(/[\r\n\0]/g, " ") });
      return {
        append: (appends) =>
          stream.append(appends.map((append) => ({ ...append, events: append.events.map(cleaned) }))),
        finish: (finishes) => stream.finish(finishes.map((finish) => ({ ...finish, event: cleaned(finish.event) }))),
      };
    },
  ],
  [
    "drops what is too long without a word",
    ["data-limit"],
    (stream) => ({
      append: async (appends) => {
        try {
          return await stream.append(appends);
        } catch (error) {
          if (!isIntermodalError(error, "PAYLOAD_TOO_LARGE")) throw error;
          return appends.map(() => []);
        }
      },
    }),
  ],
  [
    "keeps finished streams for ever",
    ["finished-expires"],
    (stream) => ({
      finish: (finishes) => stream.finish(finishes.map((finish) => ({ ...finish, ttlMs: Number.MAX_SAFE_INTEGER }))),
    }),
  ],
];
