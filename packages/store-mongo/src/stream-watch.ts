import { FollowLog, freezePayload, type LogPage, type LogSource } from "@intermodal/core/adapter";
import { type Clock, isIntermodalError } from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { type Chunk, chunkId, endOf, streamKey } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import { bytesOf, PAGE_BYTES, type StreamReader, type StreamSight } from "./stream-reader.ts";

/** A stream that somebody waits at the end of. */
interface Watched {
  readonly key: string;
  readonly wake: () => void;
  /** As it was last read to its end. */
  sight: StreamSight | undefined;
  /** What has come next in it, gapless, and has yet to be read. */
  arrived: Chunk[];
  /** How many places are asked for at once: for as many chunks as came at the latest look, and one more. */
  ahead: number;
}

/** What a follower reads at once. */
const PAGE = { limit: 256, whole: true, maxBytes: PAGE_BYTES };
/** Streams that are asked for at once. */
const MAX_ASKED = 1_000;
const LONGEST_PAUSE_MS = 1_000;
/** Queries of one look, each for what may have come behind what the one before has found. */
const MAX_ROUNDS = 8;
/** Of one stream, in one query: most chunks hold one event, so the places of the next ones can be guessed. */
const AHEAD = { least: 2, most: 8 };

/**
 * Looks whether anything has come in the streams that are followed: one query for all of them, that asks for the places of the next chunks. What this process has
 * appended itself is told at once.
 */
export class StreamWatch implements LogSource {
  readonly clock: Clock;
  readonly pollMs: number;
  readonly log: FollowLog;
  readonly #session: Session;
  readonly #chunks: StreamLog;
  readonly #reader: StreamReader;
  readonly #watched = new Map<string, Watched>();
  #cancelLook: (() => void) | undefined;
  #looking = false;
  #pauseMs: number;

  constructor(session: Session, chunks: StreamLog, reader: StreamReader) {
    this.clock = session.clock;
    this.pollMs = session.settings.streamPollMs;
    this.#session = session;
    this.#chunks = chunks;
    this.#reader = reader;
    this.#pauseMs = session.settings.streamWakeMs;
    this.log = new FollowLog(this);
    session.onClose(() => {
      this.#cancelLook?.();
      this.log.close();
    });
  }

  assertOpen(what: string): void {
    this.#session.assertOpen(what);
  }

  async read(streamId: string, after: number): Promise<LogPage> {
    const watched = this.#watched.get(streamId);
    const [first, ...rest] = watched?.arrived ?? [];
    const continues = first !== undefined && watched?.sight?.last === after && first.from === after + 1;
    const arrived = continues ? await this.#reader.pageOf("follow", streamId, [first, ...rest]) : undefined;
    const page = arrived ?? (await this.#reader.read("follow", streamId, after, PAGE));
    // Many followers may be given the same.
    for (const event of page.events) {
      freezePayload(event.data);
      Object.freeze(event);
    }
    if (watched !== undefined) this.#note(watched, page, after);
    return page;
  }

  watch(streamId: string, wake: () => void): () => void {
    const watched: Watched = {
      key: streamKey(streamId),
      wake,
      sight: undefined,
      arrived: [],
      ahead: AHEAD.least,
    };
    this.#watched.set(streamId, watched);
    // Where it stands shows when it is read for the first time.
    wake();
    this.#lookLater();
    return () => {
      if (this.#watched.get(streamId) === watched) this.#watched.delete(streamId);
      if (this.#watched.size > 0) return;
      this.#cancelLook?.();
      this.#cancelLook = undefined;
    };
  }

  /** This process has appended a chunk. */
  stored(streamId: string, chunk: Chunk): void {
    const watched = this.#watched.get(streamId);
    if (watched !== undefined) this.#arrive(watched, chunk);
  }

  /** Where the stream stands for whoever has read this page. */
  #note(watched: Watched, page: StreamSight, after: number): void {
    const reached = page.events.at(-1)?.sequence ?? page.gap?.to ?? after;
    if (reached !== page.last) return;
    watched.sight = page;
    const next = chunkId(watched.key, page.next);
    const at = watched.arrived.findIndex(({ _id }) => _id === next);
    watched.arrived = at < 0 ? [] : watched.arrived.slice(at);
  }

  #arrive(watched: Watched, chunk: Chunk): void {
    if (isNext(watched, chunk)) watched.arrived.push(chunk);
    // Who does not read it now reads for itself later.
    const { arrived } = watched;
    if (arrived.length > 1 && (arrived.length > PAGE.limit || bytesOf(arrived) > PAGE.maxBytes)) {
      watched.arrived = [];
      watched.sight = undefined;
    }
    watched.wake();
  }

  #lookLater(): void {
    if (this.#cancelLook !== undefined || this.#looking || this.#session.isClosed) return;
    this.#cancelLook = this.clock.schedule(this.#pauseMs, () => {
      this.#cancelLook = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const { streamWakeMs } = this.#session.settings;
    const begun = this.clock.now();
    try {
      await this.#ask();
      // From the beginning of one to that of the next, but never without a pause: a server that answers slowly is busy.
      this.#pauseMs = Math.max(streamWakeMs - (this.clock.now() - begun), streamWakeMs / 5);
    } catch (error) {
      // Nothing is lost by it: whoever follows reads again, and hears of it there.
      if (!isIntermodalError(error)) throw error;
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    }
    this.#looking = false;
    if (this.#watched.size > 0) this.#lookLater();
  }

  async #ask(): Promise<void> {
    const now = this.#session.connection.serverClock.now();
    let asking: Watched[] = [];
    for (const watched of this.#watched.values()) {
      const { sight, arrived } = watched;
      // What has come is read first.
      if (sight === undefined || arrived.length > 0) continue;
      // It is gone, or somebody has put that off meanwhile.
      if (now !== undefined && sight.expiresAt <= now) watched.wake();
      asking.push(watched);
    }
    for (let round = 0; round < MAX_ROUNDS && asking.length > 0; round++) asking = await this.#askFor(asking);
  }

  /** @returns those of which more may have come. */
  async #askFor(streams: readonly Watched[]): Promise<Watched[]> {
    const asked = new Map<string, Watched>();
    const ends = new Map<Watched, number>();
    for (const watched of streams) {
      const next = nextOf(watched) as number;
      const end = next + watched.ahead;
      ends.set(watched, end);
      for (let place = next; place < end; place++) asked.set(chunkId(watched.key, place), watched);
      // What is left of an expired stream may be removed before the next one begins.
      if (watched.sight?.last === 0) asked.set(chunkId(watched.key, 1), watched);
    }
    const found = Map.groupBy(await this.#find([...asked.keys()]), ({ _id }) => asked.get(_id) as Watched);
    for (const watched of streams) {
      const chunks = (found.get(watched) ?? []).sort((one, other) => endOf(one) - endOf(other));
      // One that was stored behind a hole is not there yet.
      for (const chunk of chunks) if (isNext(watched, chunk) || watched.sight?.last === 0) this.#arrive(watched, chunk);
      watched.ahead = Math.min(AHEAD.most, Math.max(AHEAD.least, chunks.length + 1));
    }
    return streams.filter((watched) => (nextOf(watched) ?? 0) >= (ends.get(watched) as number));
  }

  async #find(ids: readonly string[]): Promise<readonly Chunk[]> {
    const found: Chunk[] = [];
    for (let at = 0; at < ids.length; at += MAX_ASKED)
      found.push(...(await this.#chunks.chunks("follow", ids.slice(at, at + MAX_ASKED))));
    return found;
  }
}

/** The place of the next chunk. */
function nextOf({ sight, arrived }: Watched): number | undefined {
  const last = arrived.at(-1);
  return last === undefined ? sight?.next : endOf(last) + 1;
}

function isNext(watched: Watched, { _id }: Chunk): boolean {
  const next = nextOf(watched);
  return next !== undefined && _id === chunkId(watched.key, next);
}
