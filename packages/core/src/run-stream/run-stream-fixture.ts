import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { MemoryEventStream } from "../memory/event-stream.ts";
import type { MemoryLimits } from "../memory/limits.ts";
import { MemoryServer } from "../memory/server.ts";
import { type Clock, systemClock } from "../ports/clock.ts";
import type { EventStream, StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import type { JsonValue } from "../ports/json.ts";
import type { RunStreamSource } from "./http.ts";
import { toNodeHandler } from "./node-http.ts";

/** Runs in memory for the tests of what reads them. A run is known once something was appended to it. */
export class TestRuns {
  readonly connection;
  readonly eventStream: EventStream;
  readonly source: RunStreamSource;
  /** How many are being followed at the moment, and how many events were taken from the store for them. */
  following = 0;
  taken = 0;
  readonly #written = new Map<string, number>();

  constructor(clock: Clock = systemClock, limits: Partial<MemoryLimits> = {}) {
    const server = new MemoryServer(clock, limits);
    this.connection = server.connect();
    this.eventStream = new MemoryEventStream(server.store, this.connection, "test");
    this.source = {
      eventStream: {
        capabilities: this.eventStream.capabilities,
        append: (appends) => this.eventStream.append(appends),
        finish: (finishes) => this.eventStream.finish(finishes),
        read: (streamId, options) => this.eventStream.read(streamId, options),
        follow: (streamId, options) => this.#follow(streamId, options),
      },
      locate: async (runId) => (this.#written.has(runId) ? { streamId: `${runId}#1`, segment: 1 } : undefined),
    };
  }

  /** Appends `count` events named `token` with the data `make` makes of their sequence. */
  async append(
    runId: string,
    count: number,
    make: (sequence: number) => JsonValue = (sequence) => ({ sequence }),
  ): Promise<void> {
    const written = this.#written.get(runId) ?? 0;
    this.#written.set(runId, written + count);
    const events = Array.from({ length: count }, (_, index) =>
      this.#event(written + index + 1, "token", make(written + index + 1)),
    );
    await this.eventStream.append([{ streamId: `${runId}#1`, events }]);
  }

  /** Appends the terminal event, `lifecycle.completed`. */
  async end(runId: string): Promise<void> {
    const written = this.#written.get(runId) ?? 0;
    this.#written.set(runId, written + 1);
    const event = this.#event(written + 1, "lifecycle.completed", { status: "COMPLETED" });
    await this.eventStream.finish([{ streamId: `${runId}#1`, event, ttlMs: 86_400_000 }]);
  }

  #event(n: number, event: string, data: JsonValue) {
    return { writer: "test", n, timestamp: 1_000 + n, source: "test", event, data };
  }

  async *#follow(
    streamId: string,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<StoredRunEvent | StreamGap> {
    this.following++;
    try {
      for await (const entry of this.eventStream.follow(streamId, options) as AsyncIterable<
        StoredRunEvent | StreamGap
      >) {
        this.taken++;
        yield entry;
      }
    } finally {
      this.following--;
    }
  }
}

/** Serves a handler on a free port of this machine, as long as `use` takes. */
export async function served<T>(
  handler: (request: Request) => Promise<Response>,
  use: (url: string, server: Server) => Promise<T>,
): Promise<T> {
  const server = createServer(toNodeHandler(handler));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Waits for what other things bring about. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await condition()); turns++) {
    if (turns > 2_000) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const upTo = (count: number, from = 1) => Array.from({ length: count - from + 1 }, (_, index) => from + index);
