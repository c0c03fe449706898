import type { EventStream, JsonValue, NewRunEvent, StoredRunEvent, StreamGap } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";

/** Declares a case of this port; `stream` is the first client. */
export function streamCase(
  name: string,
  guarantees: readonly string[],
  title: string,
  run: (t: CaseContext, stream: Stream) => Promise<void>,
  needs?: readonly FaultName[],
): ConformanceCase {
  return {
    id: `event-stream/${name}`,
    subject: "eventStream",
    guarantees,
    title,
    ...(needs === undefined ? {} : { needs }),
    run: async (t) => run(t, await openStream(t)),
  };
}

/** Another client's event stream. */
export async function openStream(t: CaseContext, options?: { readonly namespace?: string }): Promise<Stream> {
  const { eventStream } = await t.open(options);
  assert(eventStream !== undefined, "the adapter has an event stream");
  return new Stream(eventStream, t);
}

export async function openStreams(t: CaseContext, count: number): Promise<readonly Stream[]> {
  return Promise.all(Array.from({ length: count }, () => openStream(t)));
}

/** Sequences from `first` to `last`, both included. */
export function sequences(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
}

/** The port's batch methods, one stream at a time, with what most cases ask for as defaults. */
export class Stream {
  readonly port: EventStream;
  readonly #t: CaseContext;

  constructor(port: EventStream, t: CaseContext) {
    this.port = port;
    this.#t = t;
  }

  /** A writer's `n`th event; its data tells which one it is. */
  event(writer: string, n: number, of: Partial<NewRunEvent> = {}): NewRunEvent {
    return { writer, n, timestamp: this.#t.clock.now(), source: "task", event: "token", data: `${writer}:${n}`, ...of };
  }

  /** A writer's events `from` to `to`, both included. */
  events(writer: string, from: number, to: number): readonly NewRunEvent[] {
    return sequences(from, to).map((n) => this.event(writer, n));
  }

  async append(streamId: string, events: readonly NewRunEvent[]): Promise<readonly number[]> {
    const answers = await this.port.append([{ streamId, events }]);
    equal(answers.length, 1, "a batch of one has one answer");
    return answers[0] as readonly number[];
  }

  /** Appends a writer's events `from` to `to`. */
  write(streamId: string, writer: string, from: number, to: number): Promise<readonly number[]> {
    return this.append(streamId, this.events(writer, from, to));
  }

  finish(streamId: string, of: Partial<NewRunEvent> & { readonly ttlMs?: number } = {}): Promise<void> {
    const { ttlMs = 3_600_000, ...event } = of;
    const terminal = { event: "lifecycle.completed", data: { status: "COMPLETED" }, ...event };
    return this.port.finish([{ streamId, event: this.event(event.writer ?? "end", event.n ?? 1, terminal), ttlMs }]);
  }

  /** All that is kept after a sequence. */
  async all(streamId: string, after = 0): Promise<readonly StoredRunEvent[]> {
    const events: StoredRunEvent[] = [];
    for (;;) {
      const page = await this.port.read(streamId, { after: events.at(-1)?.sequence ?? after });
      events.push(...page.events);
      if (page.events.length === 0) return events;
    }
  }

  follow(streamId: string, after?: number): Follower {
    return new Follower(this.port, streamId, after);
  }
}

export function dataOf(events: readonly StoredRunEvent[]): readonly JsonValue[] {
  return events.map(({ data }) => data);
}

/** Follows a stream in the background and keeps what it is given. */
export class Follower {
  readonly events: StoredRunEvent[] = [];
  readonly gaps: StreamGap["gap"][] = [];
  /** Resolves when following has ended. @throws what following threw. */
  readonly ended: Promise<void>;
  readonly #abort = new AbortController();
  #over = false;

  constructor(port: EventStream, streamId: string, after?: number) {
    this.ended = this.#run(port, streamId, after).finally(() => {
      this.#over = true;
    });
    // Looked at when the case awaits it.
    this.ended.catch(() => {});
  }

  get isOver(): boolean {
    return this.#over;
  }

  get sequences(): readonly number[] {
    return this.events.map(({ sequence }) => sequence);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  async #run(port: EventStream, streamId: string, after: number | undefined): Promise<void> {
    const { signal } = this.#abort;
    for await (const entry of port.follow(streamId, { after, signal })) {
      if ("gap" in entry) this.gaps.push(entry.gap);
      else this.events.push(entry);
    }
  }
}
