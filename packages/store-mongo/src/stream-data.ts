import { randomUUID } from "node:crypto";
import { type ChunkDraft, type ChunkEvent, type DataDocument, dataId } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";

/** A document holds 16 MiB. */
const MAX_CHUNK_BYTES = 8 * 1_048_576;

/**
 * Makes a chunk fit into its document: where it would be too long, the longest data go into documents of their own, before the chunk that names them is stored. If it never is,
 * they go with the stream.
 */
export async function storeDataElsewhere(
  what: string,
  log: StreamLog,
  { key, place, bytes }: { readonly key: string; readonly place: number; readonly bytes: readonly number[] },
  chunk: ChunkDraft,
): Promise<ChunkDraft> {
  let excess = chunk.bytes - MAX_CHUNK_BYTES;
  if (excess <= 0) return chunk;
  const name = randomUUID();
  const events: ChunkEvent[] = [...chunk.events];
  const documents: DataDocument[] = [];
  const longest = bytes.map((size, at) => ({ size, at })).sort((one, other) => other.size - one.size);
  for (const { size, at } of longest) {
    if (excess <= 0) break;
    const { data, data_json, ...rest } = events[at] as ChunkEvent;
    const _id = dataId(key, place, `${name}/${at}`);
    documents.push({ _id, stream: chunk.stream, data_json: data_json ?? JSON.stringify(data) });
    events[at] = { ...rest, data_in: _id };
    excess -= size;
  }
  await log.putData(what, documents);
  return { ...chunk, events };
}
