import type { NewRunEvent } from "@intermodal/core/ports";
import { describe, expect, it } from "vitest";
import { KnownStream } from "./known-streams.ts";
import type { ChunkHead } from "./stream-chunk.ts";
import { type Found, nameOf, plan } from "./stream-plan.ts";

const event = (writer: string, n: number): NewRunEvent => {
  return { writer, n, timestamp: 1, source: "t", event: "token", data: n };
};
const events = (writer: string, ...ns: number[]) => ns.map((n) => event(writer, n));
const found = (...known: [NewRunEvent, Found][]) => new Map(known.map(([one, of]) => [nameOf(one), of]));

const HEAD: ChunkHead = {
  _id: "1:s:0000000000000001",
  stream: "s",
  incarnation: "i",
  base: 0,
  from: 1,
  to: 2,
  ended: false,
  appended_at: new Date(0),
  expires_at: new Date(1_000),
  bytes: 0,
  writers: [{ writer: "w", n: 1, last_n: 2, sequence: 1, highest: 2 }],
};

/** A stream with a writer's events 1 and 2. */
function stream(of: Partial<ChunkHead> = {}): KnownStream {
  const known = new KnownStream("s", undefined, 0);
  known.follow({ ...HEAD, ...of }, 0);
  return known;
}

describe("a plan", () => {
  it("puts what is new after what is there, with what is needed to find it again", () => {
    const planned = plan(
      stream(),
      [{ events: events("w", 3, 4) }, { events: [...events("v", 1), ...events("w", 6)] }],
      found(),
    );
    expect(planned.answers).toEqual([
      [3, 4],
      [5, 6],
    ]);
    expect(planned.events.map(({ sequence }) => sequence)).toEqual([3, 4, 5, 6]);
    expect(planned.writers).toEqual([
      { writer: "w", n: 3, last_n: 4, sequence: 3, highest: 4 },
      { writer: "v", n: 1, last_n: 1, sequence: 5, highest: 1 },
      { writer: "w", n: 6, last_n: 6, sequence: 6, highest: 6 },
    ]);
  });

  it("stores nothing twice: neither what was stored before, nor what comes twice in it", () => {
    const before = found([event("w", 2), { sequence: 2 }]);
    const planned = plan(stream(), [{ events: events("w", 2, 3) }, { events: events("w", 3, 3, 4) }], before);
    expect(planned.answers).toEqual([
      [2, 3],
      [3, 3, 4],
    ]);
    expect(planned.events.map(({ sequence }) => sequence)).toEqual([3, 4]);
  });

  it("keeps a writer's highest number where a lower one comes late", () => {
    const late = plan(stream(), [{ events: events("w", 1) }], found([event("w", 1), "new"]));
    expect(late.writers).toEqual([{ writer: "w", n: 1, last_n: 1, sequence: 3, highest: 2 }]);
  });

  it("refuses what nothing is known of but that it was there, and nothing else", () => {
    const planned = plan(
      stream(),
      [{ events: events("w", 1, 3) }, { events: events("w", 4) }],
      found([event("w", 1), "forgotten"]),
    );
    expect(planned.answers).toEqual([expect.objectContaining({ code: "CONFLICT" }), [3]]);
  });

  it("stores nothing of a put with an event that cannot be stored", () => {
    const odd = { ...event("w", 4), source: 7 as unknown as string };
    const planned = plan(stream(), [{ events: [event("w", 3), odd] }, { events: events("w", 9) }], found());
    expect(planned.answers).toEqual([expect.objectContaining({ code: "NOT_SERIALIZABLE" }), [3]]);
    expect(planned.events.map(({ sequence }) => sequence)).toEqual([3]);
    expect(planned.writers).toEqual([{ writer: "w", n: 9, last_n: 9, sequence: 3, highest: 9 }]);
  });

  it("ends once; what comes after it is refused, what was there before is not", () => {
    const puts = [
      { events: events("end", 1), ttlMs: 5 },
      { events: events("end", 2), ttlMs: 9 },
      { events: events("w", 3) },
      { events: events("w", 2) },
    ];
    const planned = plan(stream(), puts, found([event("w", 2), { sequence: 2 }]));
    const refused = expect.objectContaining({ code: "STREAM_ENDED" });
    expect(planned.answers).toEqual([[3], [], refused, [2]]);
    expect([planned.ttlMs, planned.events.length]).toEqual([5, 1]);
    const over = plan(stream({ ended: true }), puts, found([event("w", 2), { sequence: 2 }]));
    expect(over.answers).toEqual([[], [], refused, [2]]);
    expect([over.ttlMs, over.events.length]).toEqual([undefined, 0]);
  });
});

describe("what is known of a stream", () => {
  it("is who has written, as long as all was seen", () => {
    const known = stream();
    expect([known.highest("w"), known.highest("v"), known.place]).toEqual([2, 0, 3]);
  });

  it("is, of one that was found, who wrote last", () => {
    const again = { writer: "w", n: 1, last_n: 1, sequence: 2, highest: 7 };
    const known = new KnownStream("s", { ...HEAD, writers: [...HEAD.writers, again] }, 0);
    expect([known.highest("w"), known.highest("v"), known.place]).toEqual([7, undefined, 3]);
  });

  it("goes on with the chunk that follows, and with no other", () => {
    const known = stream();
    expect(known.follow({ ...HEAD, from: 4, to: 4 }, 1), "a hole").toBe(false);
    expect(known.follow({ ...HEAD, incarnation: "j", from: 3, to: 3 }, 1), "another stream's").toBe(false);
    expect(known.follow({ ...HEAD, base: 7, from: 3, to: 3 }, 1), "of another place").toBe(false);
    expect(known.follow(HEAD, 1), "known already").toBe(true);
    expect([known.last, known.heardAt]).toEqual([2, 0]);
    expect(known.follow({ ...HEAD, from: 3, to: 5, writers: [] }, 1)).toBe(true);
    expect([known.last, known.heardAt, known.place]).toEqual([5, 1, 6]);
  });

  it("begins anew after a stream that was closed, even if that ended without an event of its own", () => {
    const after = (head: Partial<ChunkHead>) => new KnownStream("s", { ...HEAD, closed: true, ...head }, 0);
    expect([after({}).place, after({}).last, after({}).highest("w")]).toEqual([3, 0, 0]);
    expect(after({ from: 3, to: 2, ended: true }).place).toBe(4);
  });

  it("is believed for a moment, and not past the stream's expiry", () => {
    const known = stream();
    expect([
      known.isFresh(100, 999),
      known.isFresh(1_500, 999),
      known.isFresh(-1, 999),
      known.isFresh(100, 1_000),
    ]).toEqual([true, false, false, false]);
  });
});
