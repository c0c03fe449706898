import { type EventStream, isIntermodalError, type StoredRunEvent } from "@intermodal/core/ports";
import { type Break, changed } from "./stream.ts";

/** Broken promises about reading. */
export const READS: readonly Break[] = [
  [
    "leaves a sequence out",
    ["gapless", "read-pages", "resume", "prefix"],
    (stream) => {
      const shifted = (event: StoredRunEvent) => ({
        ...event,
        sequence: event.sequence + (event.sequence > 3 ? 1 : 0),
      });
      return {
        read: async (streamId, options) => {
          const page = await stream.read(streamId, options);
          return { ...page, events: page.events.map(shifted) };
        },
      };
    },
  ],
  [
    "begins one event too late",
    ["resume", "cap"],
    (stream) => ({
      read: async (streamId, { after = 0, ...options } = {}) => {
        const page = await stream.read(streamId, { after, ...options });
        return after === 0 ? page : { ...page, events: page.events.slice(1) };
      },
    }),
  ],
  [
    "pays no heed to the limit of a page",
    ["read-pages"],
    (stream) => ({ read: (streamId, { after } = {}) => stream.read(streamId, { after }) }),
  ],
  [
    "stamps events with its own time",
    ["read-whole"],
    (stream, { server }) => {
      const stamped = (event: StoredRunEvent) => ({ ...event, timestamp: server.clock.now() });
      return {
        read: async (streamId, options) => {
          const page = await stream.read(streamId, options);
          return { ...page, events: page.events.map(stamped) };
        },
      };
    },
  ],
  [
    "shows an event later than those after it",
    ["prefix", "batches"],
    (stream) => ({
      read: async (streamId, options) => {
        const page = await stream.read(streamId, options);
        if (page.ended) return page;
        return { ...page, events: page.events.filter(({ sequence }) => sequence !== page.last - 1) };
      },
    }),
  ],
  [
    "says nothing of what the cap took",
    ["cap", "slow-reader"],
    (stream) => ({
      read: async (streamId, options) => ({ ...(await stream.read(streamId, options)), gap: undefined }),
      follow: (streamId, options) =>
        changed(stream.follow(streamId, options), (entry) => ("gap" in entry ? undefined : entry)),
    }),
  ],
  [
    "promises to keep more than it does",
    ["cap"],
    (stream) => ({ capabilities: { ...stream.capabilities, maxEvents: stream.capabilities.maxEvents + 1_000 } }),
  ],
  [
    "takes any cursor",
    ["unknown-cursor", "finished-expires"],
    (stream) => ({
      read: async (streamId, options) => {
        try {
          return await stream.read(streamId, options);
        } catch (error) {
          if (!isIntermodalError(error, "CURSOR_INVALID")) throw error;
          return { ...(await stream.read(streamId)), events: [] };
        }
      },
    }),
  ],
  [
    "does not tell great letters from small ones",
    ["hostile-streams"],
    (stream) => ({
      append: (appends) =>
        stream.append(appends.map((append) => ({ ...append, streamId: append.streamId.toLowerCase() }))),
    }),
  ],
  [
    "knows one namespace only",
    ["namespaces"],
    (stream, { shared }) => {
      if (!shared.has("first")) shared.set("first", stream);
      const first = shared.get("first") as EventStream;
      return {
        append: (appends) => first.append(appends),
        read: (streamId, options) => first.read(streamId, options),
      };
    },
  ],
  [
    "keeps unfinished streams longer than it says",
    ["unfinished-expires"],
    (stream) => ({ capabilities: { ...stream.capabilities, safetyTtlMs: 3_600_000 } }),
  ],
];
