import { Child } from "../test/faults/child.ts";
import type { StreamsPlace } from "./streams-place.ts";
import type { ServerTold } from "./streams-server.ts";
import type { Received, SubscriberSettings, SubscriberTold } from "./streams-subscriber.ts";
import type { WriterSettings, Written } from "./streams-writer.ts";

const script = (name: string) => new URL(`./streams-${name}.ts`, import.meta.url);

/** Beside the time that is measured. A measurement that takes longer than this has lost something. */
const LIMIT_MS = 60_000;

/**
 * Runs one measurement with processes that end with it, however it ends.
 * @param forMs How long it measures.
 * @throws when it does not come to an end.
 */
export async function withProcesses<Result>(
  forMs: number,
  run: (processes: Processes) => Promise<Result>,
): Promise<Result> {
  const processes = new Processes();
  const { promise, reject } = Promise.withResolvers<never>();
  const limit = setTimeout(() => reject(new Error("a measurement does not end: events are missing")), forMs + LIMIT_MS);
  try {
    return await Promise.race([run(processes), promise]);
  } finally {
    clearTimeout(limit);
    await processes.end();
  }
}

export class Processes {
  readonly #all: Child<unknown>[] = [];

  /** Resolves when it has written everything. */
  async write(settings: WriterSettings): Promise<Written> {
    const writer = this.#start<Written>("writer", settings);
    await writer.until(() => true);
    return writer.told[0] as Written;
  }

  /** Resolves when it follows. @returns resolves with what it got when all its runs have ended. */
  async subscribe(settings: SubscriberSettings): Promise<{ received(): Promise<Received> }> {
    const subscriber = this.#start<SubscriberTold>("subscriber", settings);
    await subscriber.until((told) => "ready" in told);
    return {
      received: async () => {
        await subscriber.until((told) => "received" in told);
        return subscriber.told.flatMap((told) => ("received" in told ? [told.received] : []))[0] as Received;
      },
    };
  }

  /** Resolves when it listens. @returns its URL. */
  async serve(place: StreamsPlace): Promise<string> {
    const server = this.#start<ServerTold>("server", place);
    await server.until(() => true);
    return `http://127.0.0.1:${server.told[0]?.port}`;
  }

  /** Resolves with the first thing it tells. */
  async ask<Told>(name: string, settings: unknown): Promise<Told> {
    const child = this.#start<Told>(name, settings);
    await child.until(() => true);
    return child.told[0] as Told;
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((child) => child.kill()));
  }

  #start<Told>(name: string, settings: unknown): Child<Told> {
    const child = new Child<Told>(script(name), settings);
    this.#all.push(child);
    return child;
  }
}
