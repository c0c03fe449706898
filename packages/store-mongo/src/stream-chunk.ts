import type { JsonValue, NewRunEvent, StoredRunEvent } from "@intermodal/core/ports";
import { readPayload, storePayload } from "./payload.ts";
import { decodeText, encodeText } from "./text.ts";
import { readTime, type StoredTime, storeTime } from "./times.ts";
import type { CollectionSpec } from "./topology.ts";

/**
 * Where streams stand: each append is one document, a *chunk*. Its `_id` names the stream and the place of its first event, so that of any number of appends that
 * were made for the same place one is stored.
 */
export const RUN_EVENTS: CollectionSpec = {
  part: "run_events",
  indexes: [
    { name: "writers", key: { stream: 1, "writers.writer": 1, "writers.last_n": -1 } },
    { name: "expires_at", key: { expires_at: 1 } },
  ],
};

/** A stretch of one writer's events that stand one after the other. */
export interface WriterStretch {
  readonly writer: string;
  readonly n: number;
  readonly last_n: number;
  readonly sequence: number;
  /** The highest `n` of this writer in the stream, up to the end of this chunk. */
  readonly highest: number;
}

export interface ChunkEvent {
  readonly sequence: number;
  readonly timestamp: StoredTime;
  readonly source: string;
  readonly event: string;
  readonly data?: JsonValue | undefined;
  readonly data_json?: string | undefined;
  /** The document that holds the data: they were too much for the chunk. */
  readonly data_in?: string | undefined;
  /** About how many they take there. */
  readonly data_bytes?: number | undefined;
}

/** A chunk without its events. */
export interface ChunkHead {
  readonly _id: string;
  readonly stream: string;
  /** Tells streams of the same id apart, one of which came after the other had expired. */
  readonly incarnation: string;
  /** The place of sequence 0: places go on where an expired stream of the same id ended. */
  readonly base: number;
  /** Sequences of the first and the last event. */
  readonly from: number;
  readonly to: number;
  /** Holds the terminal event. */
  readonly ended: boolean;
  /** It is the last of a stream that has expired: the next one begins a stream. */
  readonly closed?: true;
  /** By the server's clock. */
  readonly appended_at: Date;
  /** Of the last chunk: when the stream expires. */
  readonly expires_at: Date;
  readonly bytes: number;
  readonly writers: readonly WriterStretch[];
}

export interface Chunk extends ChunkHead {
  readonly events: readonly ChunkEvent[];
}

/** A chunk that has yet to be stored: its times are those of that moment. */
export type ChunkDraft = Omit<Chunk, "appended_at" | "expires_at">;

/** Data of an event of a chunk that could not hold all of it. */
export interface DataDocument {
  readonly _id: string;
  readonly stream: string;
  readonly data_json: string;
}

const DIGITS = 16;

/** Begins the `_id` of everything that belongs to a stream, and of nothing else. */
export function streamKey(streamId: string): string {
  const text = encodeText(streamId);
  return `${text.length}:${text}:`;
}

export function chunkId(key: string, place: number): string {
  return key + String(place).padStart(DIGITS, "0");
}

/** The last place that a chunk takes: it takes one even if it ends the stream without an event of its own. */
export function endOf({ base, from, to }: ChunkHead): number {
  return base + Math.max(from, to);
}

/**
 * What is known of a writer of whose chunks the cap took some: `highestOf` finds it where no chunk of this writer is left. Its `_id` stands before those of the chunks: it goes with them when
 * the stream does.
 */
export interface WriterTrace {
  readonly _id: string;
  readonly stream: string;
  readonly incarnation: string;
  readonly writers: readonly { readonly writer: string }[];
  /** The highest `n` that the cap took. */
  readonly highest: number;
  /** As a chunk's. */
  readonly expires_at: Date;
}

export function traceId(key: string, incarnation: string, writer: string): string {
  return `${firstTraceId(key)}${incarnation}/${writer}`;
}

/** No `_id` of the stream's is lower. */
export const firstTraceId = (key: string) => `${key}!`;
/** No chunk's `_id` is lower. */
export const firstChunkId = (key: string) => chunkId(key, 0);
/** No chunk's `_id` is higher. */
export const lastChunkId = (key: string) => key + "9".repeat(DIGITS);

/** So many places a chunk may stand after the one that its data were stored for, since others came first. The cap takes data when it has come so much further. */
export const DATA_LAG = 5_000;

/** Stands after all chunks of the stream, in the order of the places that data were stored for: at that of its chunk, or up to {@link DATA_LAG} before. */
export function dataId(key: string, place: number, name: string): string {
  return `${key}~${String(place).padStart(DIGITS, "0")}/${name}`;
}

/** An event that has yet to be given a place. */
export interface EventDraft {
  readonly writer: string;
  readonly n: number;
  readonly stored: Omit<ChunkEvent, "sequence">;
  /** About how many it takes in a chunk. */
  readonly bytes: number;
}

/** @throws `NOT_SERIALIZABLE`. */
export function storeEvent({ writer, n, timestamp, source, event, data }: NewRunEvent): EventDraft {
  const { value, json, bytes } = storePayload(data);
  const stored = {
    timestamp: storeTime(timestamp),
    source: encodeText(source),
    event: encodeText(event),
    data: value,
    data_json: json,
  };
  return { writer: encodeText(writer), n, stored, bytes: 100 + 3 * (source.length + event.length) + bytes };
}

/** @param elsewhere Data by the documents that hold it. */
export function readEvent(
  streamId: string,
  { sequence, timestamp, source, event, data, data_json, data_in }: ChunkEvent,
  elsewhere: ReadonlyMap<string, string>,
): StoredRunEvent {
  const json = data_in === undefined ? data_json : elsewhere.get(data_in);
  return {
    streamId,
    sequence,
    timestamp: readTime(timestamp),
    source: decodeText(source),
    event: decodeText(event),
    data: readPayload(data, json) as JsonValue,
  };
}
