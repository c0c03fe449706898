import { invalidCursor, type LogPage, MAX_EVENT_DATA_BYTES } from "@intermodal/core/adapter";
import type { StoredRunEvent } from "@intermodal/core/ports";
import { unavailable } from "./errors.ts";
import type { Session } from "./session.ts";
import { type Chunk, type ChunkHead, endOf, readEvent, streamKey } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";

/** How much one page may hold. */
export interface PageLimits {
  /** So many events: exactly, or as many more as come with them where `whole` chunks are taken. */
  readonly limit: number;
  readonly whole: boolean;
  /** About so many bytes. */
  readonly maxBytes: number;
}

/** A page, and where its stream goes on. */
export interface StreamSight extends LogPage {
  /** Where the next chunk will stand. */
  readonly next: number;
  /** By the server's clock, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** About so many bytes go on any page, but for what one chunk holds. */
export const PAGE_BYTES = 2 * 1_048_576;
/** Of data that stand elsewhere about so many bytes go on any page: they may be more than a chunk holds. */
const ELSEWHERE_BYTES = 8 * 1_048_576;
/** How many chunks are asked for at first, and at last: nothing tells how many events each of them holds. */
const FIRST_CHUNKS = 8;
const MAX_CHUNKS = 500;
/** The cap may take what is about to be read. */
const ATTEMPTS = 10;

/** Reads streams. What is gone shows as a hole between chunks. */
export class StreamReader {
  readonly #session: Session;
  readonly #log: StreamLog;

  constructor(session: Session, log: StreamLog) {
    this.#session = session;
    this.#log = log;
  }

  /** @throws `CURSOR_INVALID`, `UNAVAILABLE`, `CLOSED`. */
  async read(what: string, streamId: string, after: number, limits: PageLimits): Promise<StreamSight> {
    const key = streamKey(streamId);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const head = await this.#log.last(what, key, "majority");
      const stands = head !== undefined && (await this.#isAlive(what, head));
      const last = stands ? head.to : 0;
      if (!Number.isInteger(after) || after < 0) throw invalidCursor(streamId, after, last);
      if (after > last) {
        await this.#assertNotLocal(what, key, after);
        throw invalidCursor(streamId, after, last);
      }
      if (!stands) return nothing(head);
      if (after === last || !(limits.limit >= 1)) return sightOf(head, [], undefined);
      const page = await this.#page(what, key, streamId, head, after, limits);
      if (page !== undefined) return page;
    }
    throw unavailable(what, "the cap takes events faster than they can be read");
  }

  /** The page that chunks make for whoever has read all before them; `undefined` where the cap has taken some of it meanwhile. */
  async pageOf(what: string, streamId: string, chunks: readonly [Chunk, ...Chunk[]]): Promise<StreamSight | undefined> {
    const events = await this.#events(what, streamId, chunks, chunks[0].from);
    if (events === undefined) return undefined;
    return sightOf(chunks.at(-1) as Chunk, events, undefined, bytesOf(chunks));
  }

  /**
   * Right after another server has become the primary, it may not know yet that a majority holds what was read before.
   * @throws `UNAVAILABLE` for a position that it holds itself.
   */
  async #assertNotLocal(what: string, key: string, after: number): Promise<void> {
    const head = await this.#log.last(what, key, "local");
    if (head === undefined || after > head.to || !(await this.#isAlive(what, head))) return;
    throw unavailable(what, `event ${after} has yet to reach a majority of the replica set`);
  }

  async #isAlive(what: string, { closed, expires_at }: ChunkHead): Promise<boolean> {
    return closed !== true && expires_at.getTime() > (await this.#session.serverNow(what));
  }

  async #page(
    what: string,
    key: string,
    streamId: string,
    head: ChunkHead,
    after: number,
    { limit, whole, maxBytes }: PageLimits,
  ): Promise<StreamSight | undefined> {
    const { base, incarnation } = head;
    const from = base + after + 1;
    const chunks: Chunk[] = [];
    let [events, bytes] = [0, 0];
    let place = from;
    const take = (found: readonly Chunk[]) => {
      for (const chunk of found) {
        const before = chunks.at(-1);
        // A hole, or an earlier end than was seen: what comes after it is for the next page.
        if (chunk.incarnation !== incarnation || (before !== undefined && chunk.from !== before.to + 1)) return false;
        chunks.push(chunk);
        events += chunk.to - Math.max(chunk.from, after + 1) + 1;
        bytes += chunk.bytes;
        place = endOf(chunk) + 1;
        if (bytes >= maxBytes || (!whole && events >= limit)) return false;
      }
      return events < limit;
    };
    let asked = Math.min(limit, FIRST_CHUNKS);
    let found = await this.#log.chunksFrom(what, key, place, asked, maxBytes);
    if (found[0]?.from !== after + 1) {
      const before = await this.#log.chunkBefore(what, key, from);
      if (before !== undefined && before.incarnation === incarnation && before.to > after) found = [before, ...found];
    }
    while (take(found) && found.length >= asked) {
      asked = Math.min(limit - events, MAX_CHUNKS, 4 * asked);
      found = await this.#log.chunksFrom(what, key, place, asked, maxBytes - bytes);
    }
    const [first] = chunks;
    // All of it went meanwhile.
    if (first === undefined) return undefined;
    const gap = first.from > after + 1 ? { from: after + 1, to: first.from - 1 } : undefined;
    const read = await this.#events(what, streamId, chunks, after + 1, whole ? undefined : limit);
    if (read === undefined) return undefined;
    const seen = chunks.at(-1) as Chunk;
    return sightOf(seen.to > head.to ? seen : head, read, gap, bytes);
  }

  /** The first events of chunks. @returns `undefined` where data of them are gone: the cap took the chunk first, and then those. */
  async #events(
    what: string,
    streamId: string,
    chunks: readonly Chunk[],
    from: number,
    limit?: number,
  ): Promise<StoredRunEvent[] | undefined> {
    let wanted = chunks.flatMap(({ events }) => events.filter(({ sequence }) => sequence >= from)).slice(0, limit);
    let room = ELSEWHERE_BYTES;
    const tooMuch = wanted.findIndex(({ data_in, data_bytes = MAX_EVENT_DATA_BYTES }, at) => {
      if (data_in !== undefined) room -= data_bytes;
      return room < 0 && at > 0;
    });
    if (tooMuch > 0) wanted = wanted.slice(0, tooMuch);
    const ids = wanted.map(({ data_in }) => data_in).filter((id) => id !== undefined);
    const elsewhere = await this.#log.data(what, ids);
    return elsewhere.size < ids.length ? undefined : wanted.map((event) => readEvent(streamId, event, elsewhere));
  }
}

export function bytesOf(chunks: readonly ChunkHead[]): number {
  return chunks.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A stream that is not there, or not any more. */
function nothing(head: ChunkHead | undefined): StreamSight {
  return {
    events: [],
    last: 0,
    ended: false,
    incarnation: undefined,
    bytes: 0,
    next: head === undefined ? 1 : endOf(head) + 1,
    expiresAt: Number.POSITIVE_INFINITY,
  };
}

function sightOf(
  head: ChunkHead,
  events: readonly StoredRunEvent[],
  gap: StreamSight["gap"],
  bytes = head.bytes,
): StreamSight {
  const { to, ended, incarnation, expires_at } = head;
  const page = { events, last: to, ended, incarnation, bytes, next: endOf(head) + 1, expiresAt: expires_at.getTime() };
  return gap === undefined ? page : { ...page, gap };
}
