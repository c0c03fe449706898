import { type EventStream, isIntermodalError, type NewRunEvent } from "@intermodal/core/ports";
import { expect } from "vitest";
import { openStore } from "../../packages/core/src/memory/store-fixture.ts";
import { seededRandom } from "../torture/random.ts";
import { eventOf } from "./entries.ts";

const STEPS = 60;
const WRITERS = ["a", "b", "{}:*", "\0"];

export type Append = (events: readonly NewRunEvent[]) => Promise<readonly number[]>;

/** What an append came to: sequences, or why it was refused. */
export async function outcome(append: Append, events: readonly NewRunEvent[]): Promise<unknown> {
  try {
    return await append(events);
  } catch (error) {
    if (isIntermodalError(error)) return error.code;
    throw error;
  }
}

/**
 * Checks that appends of any order, repeated in any way, are answered as the reference in memory does.
 * @param open Another process's client.
 */
export async function appendLikeMemory(open: () => EventStream, rounds: number): Promise<void> {
  // Processes of which each knows what it has stored itself, and now and then one that knows nothing.
  const clients = [open(), open()];
  for (let seed = 1; seed <= rounds; seed++) {
    const random = seededRandom(seed);
    const below = (count: number) => Math.floor(random() * count);
    const streamId = `s${seed}`;
    const { streams } = openStore();
    const to =
      (port: EventStream): Append =>
      async (events) =>
        (await port.append([{ streamId, events }]))[0] as readonly number[];
    const next = new Map<string, number>();
    for (let step = 0; step < STEPS; step++) {
      const writer = WRITERS[below(WRITERS.length)] as string;
      const at = next.get(writer) ?? 1;
      // In order, most often; else again, or with numbers left out that may come later.
      const turn = random();
      const from = turn < 0.5 ? at : turn < 0.8 ? 1 + below(at) : at + below(5);
      const events = Array.from({ length: 1 + below(5) }, (_, index) => eventOf(from + index, step, writer));
      if (random() < 0.2) events.push(...events.slice(0, 2), eventOf(1 + below(at + 2), step, WRITERS[below(4)]));
      if (random() < 0.1) events.reverse();
      for (const event of events) next.set(event.writer, Math.max(next.get(event.writer) ?? 1, event.n + 1));
      const client = random() < 0.1 ? open() : clients[below(2)];
      const [expected, actual] = [await outcome(to(streams), events), await outcome(to(client as EventStream), events)];
      expect(actual, `seed ${seed}, step ${step}`).toEqual(expected);
    }
    const end = { streamId, event: eventOf(1, "end", "end"), ttlMs: 60_000 };
    const client = clients[below(2)] as EventStream;
    await Promise.all([streams.finish([end]), client.finish([end])]);
    const options = { limit: 10_000 };
    expect(await client.read(streamId, options)).toEqual(await streams.read(streamId, options));
  }
}
