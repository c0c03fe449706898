import { describe, expect, it } from "vitest";
import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import type { MemoryEventStream } from "./event-stream.ts";
import { openStore } from "./store-fixture.ts";
import { SAFETY_TTL_MS } from "./stream-table.ts";

type Entry = StoredRunEvent | StreamGap;

async function append(streams: MemoryEventStream, from: number, to = from): Promise<void> {
  const events = Array.from({ length: to - from + 1 }, (_, index) => ({
    writer: "w",
    n: from + index,
    timestamp: 1,
    source: "t",
    event: "token",
    data: null,
  }));
  await streams.append([{ streamId: "s", events }]);
}

async function finish(streams: MemoryEventStream): Promise<void> {
  const event = { writer: "lifecycle", n: 1, timestamp: 1, source: "t", event: "lifecycle.completed", data: null };
  await streams.finish([{ streamId: "s", event, ttlMs: 1_000 }]);
}

const short = (entry: Entry) => ("gap" in entry ? `${entry.gap.from}-${entry.gap.to} gone` : entry.sequence);

/** Reads on by itself and keeps what it has got. */
function follow(streams: MemoryEventStream, options?: Parameters<MemoryEventStream["follow"]>[1]) {
  const got: (number | string)[] = [];
  const over = (async () => {
    for await (const entry of streams.follow("s", options)) got.push(short(entry));
    return "done";
  })().catch((error: { code: string }) => error.code);
  return { got, over };
}

const upTo = (last: number, after = 0) => Array.from({ length: last - after }, (_, index) => after + index + 1);

describe("follow", () => {
  it("goes from history to live at every offset, with nothing missed or doubled, and ends", async () => {
    const { streams, clock, connect } = openStore();
    await append(streams, 1, 30);
    const followers = upTo(30).map((after) => ({ after, ...follow(connect().streams, { after }) }));
    for (let n = 31; n <= 60; n++) await append(streams, n);
    await clock.settle();
    await append(streams, 61);
    await finish(streams);
    for (const { after, got, over } of followers) {
      expect(await over).toBe("done");
      expect(got).toEqual(upTo(62, after));
    }
  });

  it("waits for a stream that nobody has begun", async () => {
    const { streams, clock } = openStore();
    const { got, over } = follow(streams);
    await clock.settle();
    await append(streams, 1);
    await clock.settle();
    expect(got).toEqual([1]);
    await finish(streams);
    expect(await over).toBe("done");
  });

  it("gives a late reader all of it, and one who has read all of it the end", async () => {
    const { streams } = openStore();
    await append(streams, 1, 1_000);
    await finish(streams);
    const late = follow(streams);
    expect(await late.over).toBe("done");
    expect(late.got).toEqual(upTo(1_001));
    expect(await follow(streams, { after: 1_001 }).over).toBe("done");
  });

  it("tells a gap where the cap had taken what was asked for, and where it overtakes a slow reader", async () => {
    const { streams } = openStore({ maxStreamEvents: 300 });
    await append(streams, 1, 1_000);
    const slow = streams.follow("s", { after: 5 })[Symbol.asyncIterator]();
    const got: (string | number)[] = [];
    const read = async (count: number) => {
      for (let index = 0; index < count; index++) {
        const { value } = await slow.next();
        if (value !== undefined) got.push(short(value));
      }
    };
    await read(2);
    expect(got).toEqual(["6-700 gone", 701]);
    await append(streams, 1_001, 2_000);
    // The page in hand first, then what is kept.
    await read(257);
    expect(got.slice(-3)).toEqual([956, "957-1700 gone", 1_701]);
  });

  it.each([-1, 0.5, 3])("refuses the cursor %d when iteration starts", async (after) => {
    const { streams } = openStore();
    await append(streams, 1, 2);
    const entries = streams.follow("s", { after });
    const iterator = entries[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toMatchObject({ code: "CURSOR_INVALID" });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("ends when its signal aborts, waiting or not", async () => {
    const { streams, clock } = openStore();
    await append(streams, 1, 3);
    const control = new AbortController();
    const waiting = follow(streams, { signal: control.signal });
    const reader = streams.follow("s", { signal: control.signal })[Symbol.asyncIterator]();
    expect((await reader.next()).done).toBe(false);
    await clock.settle();
    control.abort();
    expect(await waiting.over).toBe("done");
    expect(waiting.got).toEqual([1, 2, 3]);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(await follow(streams, { signal: AbortSignal.abort() }).over).toBe("done");
  });

  it("ends at once when it is returned while it waits", async () => {
    const { streams, clock, store } = openStore();
    const iterator = streams.follow("s")[Symbol.asyncIterator]();
    const next = iterator.next();
    await clock.settle();
    expect(store.namespace("test").streams.waiting).toBe(1);
    await iterator.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(store.namespace("test").streams.waiting).toBe(0);
  });

  it("answers several requests at once in order", async () => {
    const { streams } = openStore();
    const iterator = streams.follow("s")[Symbol.asyncIterator]();
    const asked = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    await append(streams, 1, 2);
    await finish(streams);
    const answers = await Promise.all(asked);
    expect(answers.map(({ value }) => value && short(value))).toEqual([1, 2, 3, undefined]);
  });
});

describe("a follower", () => {
  it("survives cuts and lost answers, and misses nothing", async () => {
    const { streams, connect, clock } = openStore();
    const { streams: reader, connection } = connect();
    const { got, over } = follow(reader);
    for (let round = 0; round < 20; round++) {
      await append(streams, 3 * round + 1);
      if (round % 2 === 0) connection.cut();
      else connection.loseAnswers(1);
      await append(streams, 3 * round + 2);
      await clock.settle();
      await append(streams, 3 * round + 3);
      connection.mend();
      if (round % 3 === 0) await clock.settle();
    }
    await finish(streams);
    expect(await over).toBe("done");
    expect(got).toEqual(upTo(61));
  });

  it("that is cut off is let go by the server", async () => {
    const { streams, connection, clock, store } = openStore();
    const { over } = follow(streams);
    await clock.settle();
    connection.cut();
    expect(store.namespace("test").streams.waiting).toBe(0);
    connection.mend();
    await clock.settle();
    expect(store.namespace("test").streams.waiting).toBe(1);
    connection.close();
    expect(await over).toBe("CLOSED");
  });

  it("ends with CLOSED when its adapter is closed, whether it waits, reads or is cut off", async () => {
    const { streams: writer, connect, clock } = openStore();
    await append(writer, 1, 3);
    const waiting = connect();
    const reading = connect();
    const cut = connect();
    const first = follow(waiting.streams);
    const second = reading.streams.follow("s")[Symbol.asyncIterator]();
    await second.next();
    const third = follow(cut.streams);
    await clock.settle();
    cut.connection.cut();
    await clock.settle();
    for (const { connection } of [waiting, reading, cut]) connection.close();
    expect(await first.over).toBe("CLOSED");
    await expect(second.next()).rejects.toMatchObject({ code: "CLOSED" });
    expect(await third.over).toBe("CLOSED");
    expect(await follow(waiting.streams).over).toBe("CLOSED");
  });

  it("of a dead process never gets anything again", async () => {
    const { streams: writer, connect, clock, store } = openStore();
    await append(writer, 1, 3);
    const { streams, connection } = connect();
    const reading = streams.follow("s")[Symbol.asyncIterator]();
    await reading.next();
    const { got } = follow(connect().streams, { after: 3 });
    const waiting = follow(streams, { after: 3 });
    await clock.settle();
    connection.kill();
    let answered = false;
    for (const promise of [reading.next(), waiting.over]) {
      void promise.finally(() => {
        answered = true;
      });
    }
    await append(writer, 4);
    await finish(writer);
    await clock.settle();
    expect(got).toEqual([4, 5]);
    expect(answered).toBe(false);
    expect(store.namespace("test").streams.waiting).toBe(0);
  });

  it("is told when its stream expires, by itself or because another begins under its id", async () => {
    const { streams, clock } = openStore();
    await append(streams, 1, 2);
    const waiting = follow(streams);
    const reading = streams.follow("s")[Symbol.asyncIterator]();
    await reading.next();
    await reading.next();
    await clock.settle();
    await clock.advance(SAFETY_TTL_MS - 1);
    await append(streams, 3);
    await clock.settle();
    expect(waiting.got).toEqual([1, 2, 3]);
    await clock.advance(SAFETY_TTL_MS);
    expect(await waiting.over).toBe("CURSOR_INVALID");
    await append(streams, 4, 9);
    await expect(reading.next()).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  });

  it("that nobody asks for more costs the stream nothing, and thousands may follow", async () => {
    const { streams, connect, clock, store } = openStore();
    const { streams: reader } = connect();
    const followers = Array.from({ length: 2_000 }, () => follow(reader));
    const idle = reader.follow("s")[Symbol.asyncIterator]();
    await append(streams, 1);
    await clock.settle();
    expect((await idle.next()).value).toMatchObject({ sequence: 1 });
    expect(store.namespace("test").streams.waiting).toBe(2_000);
    await append(streams, 2, 600);
    await finish(streams);
    for (const { got, over } of followers) {
      expect(await over).toBe("done");
      expect(got).toEqual(upTo(601));
    }
    expect(store.namespace("test").streams.waiting).toBe(0);
  });
});
