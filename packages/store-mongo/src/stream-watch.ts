import { FollowLog, type LogPage, type LogSource } from "@intermodal/core/adapter";
import { type Clock, isIntermodalError } from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { type Chunk, chunkId, streamKey } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import type { StreamReader, StreamSight } from "./stream-reader.ts";

/** A stream that somebody waits at the end of. */
interface Watched {
  readonly key: string;
  readonly wake: () => void;
  /** As it was last read to its end. */
  sight: StreamSight | undefined;
  /** What comes next in it, where that has come already. */
  arrived: Chunk | undefined;
}

/** What a follower reads at once. */
const PAGE = { limit: 256, maxBytes: 4 * 1_048_576 };
/** Streams that are asked for at once. */
const MAX_ASKED = 1_000;
const LONGEST_PAUSE_MS = 1_000;

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
    const arrived = watched?.arrived;
    const { sight } = watched ?? {};
    const continues =
      arrived !== undefined && sight !== undefined && sight.last === after && arrived.from === after + 1;
    const page = continues
      ? await this.#reader.pageOf("follow", streamId, arrived)
      : await this.#reader.read("follow", streamId, after, PAGE);
    if (watched !== undefined) this.#note(watched, page, after);
    return page;
  }

  watch(streamId: string, wake: () => void): () => void {
    const watched: Watched = { key: streamKey(streamId), wake, sight: undefined, arrived: undefined };
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

  #note(watched: Watched, page: StreamSight, after: number): void {
    const reached = page.events.at(-1)?.sequence ?? page.gap?.to ?? after;
    if (reached !== page.last) return;
    watched.sight = page;
    if (watched.arrived !== undefined && watched.arrived._id !== chunkId(watched.key, page.next))
      watched.arrived = undefined;
  }

  #arrive(watched: Watched, chunk: Chunk): void {
    if (watched.sight !== undefined && chunk._id === chunkId(watched.key, watched.sight.next)) watched.arrived = chunk;
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
    try {
      await this.#ask();
      this.#pauseMs = streamWakeMs;
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
    const asked = new Map<string, Watched>();
    for (const watched of this.#watched.values()) {
      const { sight, key, arrived } = watched;
      if (sight === undefined || arrived !== undefined) continue;
      // It is gone, or somebody has put that off meanwhile.
      if (now !== undefined && sight.expiresAt <= now) watched.wake();
      asked.set(chunkId(key, sight.next), watched);
      // What is left of an expired stream may be removed before the next one begins.
      if (sight.last === 0) asked.set(chunkId(key, 1), watched);
    }
    const ids = [...asked.keys()];
    for (let at = 0; at < ids.length; at += MAX_ASKED) {
      for (const chunk of await this.#chunks.chunks("follow", ids.slice(at, at + MAX_ASKED))) {
        const watched = asked.get(chunk._id);
        if (watched !== undefined) this.#arrive(watched, chunk);
      }
    }
  }
}
