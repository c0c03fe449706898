import { isIntermodalError, type NewRunEvent } from "@intermodal/core/ports";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../packages/core/src/memory/store-fixture.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { seededRandom } from "../torture/random.ts";
import { eventOf } from "./entries.ts";
import { RedisStage } from "./redis-stage.ts";

const ROUNDS = process.env.INTERMODAL_SIZE === "full" ? 200 : 15;
const STEPS = 60;
const WRITERS = ["a", "b", "{}:*", "\0"];

const missing = await whyMissing("redis");
const stage = new RedisStage();
let server: Server;

beforeAll(async () => {
  if (missing === undefined) server = await startServer("redis");
});
afterAll(async () => {
  await stage.clear();
  await server?.close();
});

type Append = (events: readonly NewRunEvent[]) => Promise<readonly number[]>;

/** What an append came to: sequences, or why it was refused. */
async function outcome(append: Append, events: readonly NewRunEvent[]): Promise<unknown> {
  try {
    return await append(events);
  } catch (error) {
    if (isIntermodalError(error)) return error.code;
    throw error;
  }
}

describe("appends of any order, repeated in any way", () => {
  test("are answered as the reference does", { timeout: 120_000 }, async (t) => {
    skipWithout(missing, t);
    const { eventStream } = stage.adapter(server.url);
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = seededRandom(seed);
      const below = (count: number) => Math.floor(random() * count);
      const streamId = `s${seed}`;
      const { streams } = openStore();
      const to =
        (port: typeof streams | typeof eventStream): Append =>
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
        const [expected, actual] = [await outcome(to(streams), events), await outcome(to(eventStream), events)];
        expect(actual, `seed ${seed}, step ${step}`).toEqual(expected);
      }
      const end = { streamId, event: eventOf(1, "end", "end"), ttlMs: 60_000 };
      await Promise.all([streams.finish([end]), eventStream.finish([end])]);
      const options = { limit: 10_000 };
      expect(await eventStream.read(streamId, options)).toEqual(await streams.read(streamId, options));
    }
  });

  test("past the cap, what was stored is not stored again", { timeout: 120_000 }, async (t) => {
    skipWithout(missing, t);
    const { eventStream } = stage.adapter(server.url, { maxStreamEvents: 100 });
    const append: Append = async (events) => (await eventStream.append([{ streamId: "cap", events }]))[0] ?? [];
    // Two writers in turn: no two events of one stand together.
    for (let n = 1; n <= 300; n++) for (const writer of ["a", "b"]) await append([eventOf(n, n, writer)]);
    expect(await outcome(append, [eventOf(1, 1, "a")])).toBe("CONFLICT");
    expect(await outcome(append, [eventOf(1, 1, "a"), eventOf(301, 1, "a")])).toBe("CONFLICT");
    expect(await append([eventOf(299, 1, "a"), eventOf(300, 1, "b")])).toEqual([597, 600]);
    expect((await eventStream.read("cap")).last).toBe(600);
    // A writer that leaves out every other number for ever.
    for (let n = 1; n <= 1_200; n += 2) await append([eventOf(n, n, "odd")]);
    expect(await outcome(append, [eventOf(2, 2, "odd")])).toBe("CONFLICT");
    expect(await append([eventOf(1_198, 2, "odd")])).toEqual([1_201]);
    // Very many writers, of each of whom there is one event.
    for (let at = 0; at < 500; at++) await append([eventOf(1, at, `w${at}`)]);
    const admin = stage.admin(server.url);
    expect(await admin.hlen(`im:{${stage.namespace}:cap}:meta`)).toBeLessThan(400);
    expect(await append([eventOf(1, 1, "w499")])).toEqual([1_701]);
  });
});
