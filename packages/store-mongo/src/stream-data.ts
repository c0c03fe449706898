import { randomUUID } from "node:crypto";
import type { NewRunEvent } from "@intermodal/core/ports";
import { type ChunkDraft, type ChunkEvent, DATA_LAG, type DataDocument, dataId } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import type { Plan } from "./stream-plan.ts";

/** A document holds 16 MiB. */
const MAX_CHUNK_BYTES = 8 * 1_048_576;
/** A chunk that others came before is made so light for the next try, or it would be sent whole each time and come too late again. */
const LIGHT_BYTES = 131_072;
/** A name in its place saves nothing of what is shorter. */
const WORTH_BYTES = 1_024;

/** Data that have gone up, and for which place. */
interface Stored {
  readonly _id: string;
  readonly place: number;
}

/** Puts the data that chunks have no room for, or that make them slow, into documents of their own. */
export class StreamData {
  readonly #log: StreamLog;
  /** Of events whose chunk may have to be made again, since others came first: their data go up once. */
  readonly #stored = new WeakMap<NewRunEvent, Stored>();

  constructor(log: StreamLog) {
    this.#log = log;
  }

  /**
   * Makes a chunk fit into its document, and light where others came first: the longest data are stored elsewhere, before the chunk that names them is. If it never is, they go with the
   * stream.
   * @param rounds How often others came first.
   */
  async fit(
    what: string,
    { key, place }: { readonly key: string; readonly place: number },
    chunk: ChunkDraft,
    { taken, bytes }: Plan,
    rounds: number,
  ): Promise<ChunkDraft> {
    let left = chunk.bytes;
    if (left <= (rounds === 0 ? MAX_CHUNK_BYTES : LIGHT_BYTES)) return chunk;
    const name = randomUUID();
    const events: ChunkEvent[] = [...chunk.events];
    const documents: DataDocument[] = [];
    const added = new Map<NewRunEvent, Stored>();
    const longest = bytes.map((size, at) => ({ size, at })).sort((one, other) => other.size - one.size);
    for (const { size, at } of longest) {
      if (left <= LIGHT_BYTES || (left <= MAX_CHUNK_BYTES && size < WORTH_BYTES)) break;
      const event = taken[at] as NewRunEvent;
      const { data, data_json, ...rest } = events[at] as ChunkEvent;
      let stored = this.#stored.get(event);
      if (stored === undefined || !serves(stored, place)) {
        stored = { _id: dataId(key, place, `${name}/${at}`), place };
        documents.push({ _id: stored._id, stream: chunk.stream, data_json: data_json ?? JSON.stringify(data) });
        added.set(event, stored);
      }
      events[at] = { ...rest, data_in: stored._id, data_bytes: size };
      left -= size;
    }
    if (documents.length > 0) await this.#log.putData(what, documents);
    for (const [event, stored] of added) this.#stored.set(event, stored);
    return { ...chunk, events };
  }
}

/** Whether data stay as long as a chunk at this place: those after it would stay too long, those too far before it be taken with what stands there. */
function serves(stored: Stored, place: number): boolean {
  return stored.place <= place && place - stored.place <= DATA_LAG;
}
