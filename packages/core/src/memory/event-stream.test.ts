import { describe, expect, it } from "vitest";
import type { IntermodalError } from "../errors.ts";
import type { NewRunEvent, StoredRunEvent } from "../ports/event-stream.ts";
import type { JsonValue } from "../ports/json.ts";
import { openStore } from "./store-fixture.ts";
import { SAFETY_TTL_MS } from "./stream-table.ts";

const event = (n: number, changes: Partial<NewRunEvent> = {}): NewRunEvent => ({
  writer: "w",
  n,
  timestamp: 1_000 + n,
  source: "task",
  event: "token",
  data: { n },
  ...changes,
});
const events = (from: number, to: number, changes: Partial<NewRunEvent> = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index, changes));
const append = (from: number, to = from, streamId = "s") => [{ streamId, events: events(from, to) }];
const END = { streamId: "s", event: event(1, { writer: "lifecycle", event: "lifecycle.completed" }), ttlMs: 1_000 };

describe("append", () => {
  it("numbers without gaps, each item in one piece, each writer in its order", async () => {
    const { streams, connect } = openStore();
    const writers = Array.from({ length: 10 }, (_, index) => ({ name: `w${index}`, client: connect() }));
    const answers = await Promise.all(
      writers.flatMap(({ name, client }) =>
        Array.from({ length: 20 }, (_, index) =>
          client.streams.append([
            { streamId: "s", events: events(2 * index + 1, 2 * index + 2, { writer: name, source: name }) },
          ]),
        ),
      ),
    );
    const pairs = answers.map(([item]) => item as readonly number[]);
    for (const [first, second] of pairs) expect(second).toBe((first as number) + 1);
    expect(pairs.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    const page = await streams.read("s");
    expect(page.events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    for (const { name } of writers) {
      const own = page.events.filter(({ source }) => source === name).map(({ data }) => (data as { n: number }).n);
      expect(own).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    }
  });

  it("stores once what is repeated, wholly or in part", async () => {
    const { streams, connection } = openStore();
    connection.loseAnswers(1);
    await expect(streams.append(append(1, 3))).rejects.toMatchObject({ unknown: true });
    expect(await streams.append(append(1, 3))).toEqual([[1, 2, 3]]);
    await streams.append([{ streamId: "s", events: [event(1, { writer: "v" })] }]);
    expect(await streams.append(append(2, 5))).toEqual([[2, 3, 5, 6]]);
    expect(await streams.append([...append(1, 5), ...append(1, 1, "t")])).toEqual([[1, 2, 3, 5, 6], [1]]);
    expect((await streams.read("s")).last).toBe(6);
  });

  it("stores what a writer skipped, in whatever order it comes, and the same event twice in one item once", async () => {
    const { streams } = openStore();
    expect(await streams.append(append(5, 6))).toEqual([[1, 2]]);
    expect(await streams.append([{ streamId: "s", events: [event(3), event(3), event(2)] }])).toEqual([[3, 3, 4]]);
    expect(await streams.append(append(1, 7))).toEqual([[5, 4, 3, 6, 1, 2, 7]]);
  });

  it("refuses a bad item alone", async () => {
    const { streams } = openStore();
    const tooLong = event(2, { data: "x".repeat(1_048_575) });
    const error = await streams
      .append([
        ...append(1),
        { streamId: "s", events: [event(2), event(3, { event: "a\nb" })] },
        { streamId: "s", events: [tooLong] },
      ])
      .catch((e: unknown) => e);
    const { failures } = error as { failures: readonly (IntermodalError | undefined)[] };
    expect(failures.map((failure) => failure?.code)).toEqual([undefined, "VALIDATION_FAILED", "PAYLOAD_TOO_LARGE"]);
    expect((await streams.read("s")).last).toBe(1);
  });

  it.each(["\r", "\n", "\0"])("refuses %j in a name, and carries it in ids and data", async (character) => {
    const { streams } = openStore();
    const bad = { streamId: "s", events: [event(1, { event: `a${character}` })] };
    await expect(streams.append([bad])).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await expect(streams.finish([{ ...END, event: bad.events[0] as NewRunEvent }])).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
    const id = `id${character}`;
    const hostile = event(1, { writer: id, source: id, data: { [id]: id } });
    await streams.append([{ streamId: id, events: [hostile] }]);
    expect((await streams.read(id)).events).toMatchObject([{ streamId: id, source: id, data: { [id]: id } }]);
    expect((await streams.read("id")).last).toBe(0);
  });

  it("carries data up to a mebibyte of JSON, to the byte, whatever the limit of other payloads", async () => {
    const { streams } = openStore({ maxPayloadBytes: 10 });
    const data = "x".repeat(1_048_574);
    await streams.append([{ streamId: "s", events: [event(1, { data })] }]);
    const longer = { streamId: "s", events: [event(2, { data: `${data}x` })] };
    await expect(streams.append([longer])).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    expect((await streams.read("s")).events[0]?.data).toBe(data);
  });

  it("keeps its own copy, which nobody can change", async () => {
    const { streams } = openStore();
    const data = JSON.parse('{"list":[1],"__proto__":{"x":1}}') as { list: number[] };
    const text = JSON.stringify(data);
    const appending = streams.append([{ streamId: "s", events: [event(1, { data })] }]);
    data.list.push(2);
    await appending;
    const [stored] = (await streams.read("s")).events as [StoredRunEvent];
    expect(() => (stored.data as { list: number[] }).list.push(3)).toThrow(TypeError);
    expect(JSON.stringify(stored.data)).toBe(text);
  });
});

describe("finish", () => {
  it("ends the stream once: the first stands, nothing follows, what is there may be repeated", async () => {
    const { streams } = openStore();
    await streams.append(append(1, 2));
    await streams.finish([END]);
    await streams.finish([END]);
    await streams.finish([{ ...END, event: event(9, { event: "lifecycle.failed" }) }]);
    const page = await streams.read("s");
    expect(page).toMatchObject({ last: 3, ended: true });
    expect(page.events.at(-1)).toMatchObject({ event: "lifecycle.completed", sequence: 3 });
    expect(await streams.append(append(1, 2))).toEqual([[1, 2]]);
    await expect(streams.append(append(2, 3))).rejects.toMatchObject({ code: "STREAM_ENDED" });
    expect(await streams.read("s")).toEqual(page);
  });

  it("keeps the stream for its time, which repeating does not stretch", async () => {
    const { streams, clock } = openStore();
    await streams.finish([END]);
    await clock.advance(999);
    await streams.finish([END]);
    expect((await streams.read("s")).ended).toBe(true);
    await clock.advance(1);
    expect(await streams.read("s")).toEqual({ events: [], last: 0, ended: false });
    await expect(streams.read("s", { after: 1 })).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  });
});

describe("read", () => {
  it("gives the exact rest from every offset", async () => {
    const { streams } = openStore();
    await streams.append(append(1, 20));
    for (let after = 0; after <= 20; after++) {
      const page = await streams.read("s", { after });
      expect(page.events.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 20 - after }, (_, index) => after + index + 1),
      );
      expect(page).toMatchObject({ last: 20, ended: false });
    }
    expect((await streams.read("s", { after: 3, limit: 2 })).events.map(({ sequence }) => sequence)).toEqual([4, 5]);
  });

  it.each([-1, 1.5, Number.NaN, 3, Number.POSITIVE_INFINITY])("refuses the cursor %d", async (after) => {
    const { streams } = openStore();
    await streams.append(append(1, 2));
    await expect(streams.read("s", { after })).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  });

  it("tells what the cap took, and keeps the newest", async () => {
    const { streams } = openStore({ maxStreamEvents: 10 });
    for (let n = 1; n <= 95; n += 5) await streams.append(append(n, n + 4));
    const page = await streams.read("s", { after: 3 });
    expect(page.gap).toEqual({ from: 4, to: 85 });
    expect(page.events.map(({ data }) => data)).toEqual(Array.from({ length: 10 }, (_, index) => ({ n: 86 + index })));
    expect(await streams.read("s", { after: 85 })).not.toHaveProperty("gap");
    expect((await streams.read("s", { after: 84 })).gap).toEqual({ from: 85, to: 85 });
    expect(await streams.append(append(91, 95))).toEqual([[91, 92, 93, 94, 95]]);
  });
});

describe("memory", () => {
  it("a stream that is never finished goes a day after its latest append, and begins anew", async () => {
    const { streams, clock } = openStore();
    await streams.append(append(1));
    await clock.advance(SAFETY_TTL_MS - 1);
    await streams.append(append(2));
    await clock.advance(SAFETY_TTL_MS - 1);
    expect((await streams.read("s")).last).toBe(2);
    await clock.advance(1);
    expect((await streams.read("s")).last).toBe(0);
    expect(await streams.append(append(2, 3))).toEqual([[1, 2]]);
  });

  it("expired streams that nobody asks for go in the course of use", async () => {
    const { streams, clock, store } = openStore();
    for (let index = 0; index < 50; index++) await streams.finish([{ ...END, streamId: `old${index}` }]);
    await clock.advance(1_000);
    for (let index = 0; index < 60; index++) await streams.append(append(1, 1, `new${index}`));
    expect(store.namespace("test").streams.size).toBe(60);
  });

  it("an event of long ago is not stored again, though its sequence is forgotten", async () => {
    const { streams } = openStore({ maxStreamEvents: 5 });
    // Two writers in turn: no two events of one stand together.
    for (let n = 1; n <= 200; n++) {
      const both = ["w", "v"].map((writer) => ({ streamId: "s", events: [event(n, { writer })] }));
      await streams.append(both);
    }
    await expect(streams.append(append(1))).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await streams.append(append(200))).toEqual([[399]]);
    expect((await streams.read("s", { after: 400 })).last).toBe(400);
  });

  it("writers of whom nothing is kept are forgotten", async () => {
    const { streams } = openStore({ maxStreamEvents: 5 });
    const data = null as JsonValue;
    for (let index = 0; index < 100; index++) {
      await streams.append([{ streamId: "s", events: [event(1, { writer: `w${index}`, data })] }]);
    }
    expect(await streams.append([{ streamId: "s", events: [event(1, { writer: "w99" })] }])).toEqual([[100]]);
    expect(await streams.append([{ streamId: "s", events: [event(1, { writer: "w0" })] }])).toEqual([[101]]);
  });
});

it("rejects with CLOSED once closed, UNAVAILABLE while cut off", async () => {
  const { streams, connection } = openStore();
  const calls = () => [streams.append([]), streams.finish([]), streams.read("s")];
  connection.cut();
  for (const call of calls()) await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
  connection.mend();
  connection.close();
  for (const call of calls()) await expect(call).rejects.toMatchObject({ code: "CLOSED" });
});
