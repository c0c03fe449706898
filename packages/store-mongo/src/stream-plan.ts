import { eventForgotten, streamEnded } from "@intermodal/core/adapter";
import { IntermodalError, type NewRunEvent } from "@intermodal/core/ports";
import type { KnownStream } from "./known-streams.ts";
import { type ChunkEvent, type EventDraft, storeEvent, type WriterStretch } from "./stream-chunk.ts";

/** Events for one stream that stand together, or its terminal event. */
export interface Put {
  readonly events: readonly NewRunEvent[];
  /** The last of them ends the stream, which expires so long afterwards. */
  readonly ttlMs?: number | undefined;
}

/** What became of one put: the sequences of its events, or why it was refused. */
export type Placed = readonly number[] | IntermodalError;

/** What is known of an event that may have been stored before. */
export type Found = { readonly sequence: number } | "forgotten" | "new";

/** What has to be stored for some puts, given how the stream stands, and what to answer once it is. */
export interface Plan {
  readonly answers: readonly Placed[];
  readonly events: readonly ChunkEvent[];
  /** What each of them was made of, and about how many bytes it takes. */
  readonly taken: readonly NewRunEvent[];
  readonly bytes: readonly number[];
  readonly writers: readonly WriterStretch[];
  /** The stream ends with these events. */
  readonly ttlMs: number | undefined;
}

/** Names an event within its stream. */
export function nameOf({ writer, n }: Pick<NewRunEvent, "writer" | "n">): string {
  return `${n} ${writer}`;
}

/**
 * Takes puts one after the other, as the stream stands.
 * @param found What is known of those events whose numbers their writers have passed, by {@link nameOf}.
 */
export function plan(stream: KnownStream, puts: readonly Put[], found: ReadonlyMap<string, Found>): Plan {
  const planning = new Planning(stream, found);
  const answers = puts.map((put) => planning.take(put));
  return { answers, ...planning };
}

class Planning {
  readonly events: ChunkEvent[] = [];
  readonly taken: NewRunEvent[] = [];
  readonly bytes: number[] = [];
  readonly writers: WriterStretch[] = [];
  ttlMs: number | undefined;
  readonly #stream: KnownStream;
  readonly #found: ReadonlyMap<string, Found>;
  readonly #placed = new Map<string, number>();
  readonly #highest = new Map<string, number>();

  constructor(stream: KnownStream, found: ReadonlyMap<string, Found>) {
    this.#stream = stream;
    this.#found = found;
  }

  take({ events, ttlMs }: Put): Placed {
    const isOver = this.#stream.ended || this.ttlMs !== undefined;
    if (ttlMs !== undefined && isOver) return [];
    try {
      const known = events.map((event) => this.#find(event));
      if (isOver && known.includes(undefined)) return streamEnded(this.#stream.streamId);
      // All of them first: of a put with an event that cannot be stored nothing is.
      const drafts = events.map((event, at) => (known[at] === undefined ? storeEvent(event) : undefined));
      const sequences = events.map(
        (event, at) => known[at] ?? this.#find(event) ?? this.#place(event, drafts[at] as EventDraft),
      );
      this.ttlMs ??= ttlMs;
      return sequences;
    } catch (error) {
      if (error instanceof IntermodalError) return error;
      throw error;
    }
  }

  /** @returns its sequence, `undefined` when it is new. @throws `CONFLICT`. */
  #find(event: NewRunEvent): number | undefined {
    const name = nameOf(event);
    const placed = this.#placed.get(name);
    if (placed !== undefined) return placed;
    const found = this.#found.get(name) ?? "new";
    if (found === "forgotten") throw eventForgotten(event);
    return found === "new" ? undefined : found.sequence;
  }

  #place(event: NewRunEvent, { writer, n, stored, bytes }: EventDraft): number {
    const sequence = this.#stream.last + this.events.length + 1;
    this.events.push({ sequence, ...stored });
    this.taken.push(event);
    this.bytes.push(bytes);
    this.#placed.set(nameOf(event), sequence);
    this.#stretch(writer, n, sequence);
    return sequence;
  }

  #stretch(writer: string, n: number, sequence: number): void {
    const highest = Math.max(n, this.#highest.get(writer) ?? this.#stream.highest(writer) ?? 0);
    this.#highest.set(writer, highest);
    const last = this.writers.at(-1);
    const continues = last?.writer === writer && last.last_n + 1 === n;
    if (last !== undefined && continues) this.writers[this.writers.length - 1] = { ...last, last_n: n, highest };
    else this.writers.push({ writer, n, last_n: n, sequence, highest });
  }
}
