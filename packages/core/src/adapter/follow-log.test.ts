import { describe, expect, it } from "vitest";
import { IntermodalError } from "../errors.ts";
import type { StoredRunEvent, StreamGap } from "../ports/event-stream.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { FollowLog } from "./follow-log.ts";
import type { LogPage, LogSource } from "./log-source.ts";
import { invalidCursor } from "./run-events.ts";

const POLL_MS = 5_000;

/** Logs that can be read and expire; `mute` loses wake-ups, `away` refuses. */
class Logs implements LogSource {
  readonly clock = new VirtualClock();
  readonly pollMs = POLL_MS;
  readonly streams = new Map<string, { incarnation: string; ended: boolean; first: number; last: number }>();
  readonly watchers = new Map<string, Set<() => void>>();
  pageSize = 10;
  reads = 0;
  mute = false;
  away = false;
  closed = false;

  append(streamId: string, count = 1, { ended = false, kept = Number.POSITIVE_INFINITY } = {}): void {
    const stream = this.streams.get(streamId) ?? { incarnation: `i${Math.random()}`, ended, first: 1, last: 0 };
    this.streams.set(streamId, stream);
    stream.last += count;
    stream.ended = ended;
    stream.first = Math.max(stream.first, stream.last - kept + 1);
    if (!this.mute) this.wake(streamId);
  }

  wake(streamId: string): void {
    for (const wake of this.watchers.get(streamId) ?? []) wake();
  }

  async read(streamId: string, after: number): Promise<LogPage> {
    this.reads++;
    // The answer takes its time.
    await Promise.resolve();
    if (this.away) throw new IntermodalError("UNAVAILABLE", "away");
    const stream = this.streams.get(streamId);
    const { last, first, ended, incarnation } = stream ?? { last: 0, first: 1, ended: false, incarnation: undefined };
    if (after > last) throw invalidCursor(streamId, after, last);
    const from = Math.max(after + 1, first);
    const events = Array.from({ length: Math.min(this.pageSize, last - from + 1) }, (_, at) => ({
      streamId,
      sequence: from + at,
      timestamp: 0,
      source: "",
      event: "e",
      data: null,
    }));
    const gap = from > after + 1 ? { gap: { from: after + 1, to: from - 1 } } : {};
    return { events, last, ended, incarnation, bytes: events.length, ...gap };
  }

  watch(streamId: string, wake: () => void): () => void {
    const watchers = this.watchers.get(streamId) ?? new Set();
    this.watchers.set(streamId, watchers);
    watchers.add(wake);
    queueMicrotask(wake);
    return () => watchers.delete(wake);
  }

  assertOpen(what: string): void {
    if (this.closed) throw new IntermodalError("CLOSED", what);
  }
}

/** Follows in the background. */
function collect(log: FollowLog, streamId: string, options: { after?: number; signal?: AbortSignal } = {}) {
  const seen: (number | StreamGap["gap"])[] = [];
  const take = (entry: StoredRunEvent | StreamGap) => seen.push("gap" in entry ? entry.gap : entry.sequence);
  const ended = (async () => {
    for await (const entry of log.follow(streamId, options)) take(entry);
    return "ended";
  })().catch((error: IntermodalError) => error.code);
  return { seen, ended };
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

function open() {
  const logs = new Logs();
  const log = new FollowLog(logs);
  const settle = () => logs.clock.advance(0);
  return { logs, log, settle };
}

describe("FollowLog", () => {
  it("goes from history to live, over many pages, and ends with the stream", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 35);
    const { seen, ended } = collect(log, "s", { after: 2 });
    await settle();
    expect(seen).toEqual(upTo(35, 3));
    logs.append("s", 1);
    await settle();
    logs.append("s", 24);
    logs.append("s", 1, { ended: true });
    expect(await ended).toBe("ended");
    expect(seen).toEqual(upTo(61, 3));
    expect(log.tails).toBe(0);
    expect(logs.watchers.get("s")?.size).toBe(0);
    const late = collect(log, "s", { after: 61 });
    expect(await late.ended).toBe("ended");
    expect(late.seen).toEqual([]);
  });

  it("reads once for all who come at the same time from the same position", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 35);
    const followers = Array.from({ length: 100 }, () => collect(log, "s"));
    const others = Array.from({ length: 100 }, () => collect(log, "s", { after: 20 }));
    await settle();
    for (const { seen } of followers) expect(seen).toEqual(upTo(35));
    for (const { seen } of others) expect(seen).toEqual(upTo(35, 21));
    // Four pages and two, and what the tail reads when it begins.
    expect(logs.reads).toBeLessThanOrEqual(4 + 2 + 2);
  });

  it("tells nobody that a position does not exist because somebody else has asked too early", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 1);
    const { promise: answers, resolve: answer } = Promise.withResolvers<void>();
    const read = logs.read.bind(logs);
    logs.read = async (streamId, after) => {
      const page = read(streamId, after);
      await page.catch(() => {});
      await answers;
      return page;
    };
    const early = collect(log, "s", { after: 2 });
    await settle();
    logs.append("s", 2);
    const late = collect(log, "s", { after: 2 });
    await settle();
    answer();
    expect(await early.ended).toBe("CURSOR_INVALID");
    await settle();
    expect(late.seen).toEqual([3]);
  });

  it("reads once for everybody who waits, and wakes nobody for nothing", async () => {
    const { logs, log, settle } = open();
    const followers = Array.from({ length: 100 }, () => collect(log, "s"));
    await settle();
    logs.reads = 0;
    for (let n = 1; n <= 20; n++) {
      logs.append("s");
      await settle();
    }
    expect(logs.reads).toBeLessThanOrEqual(20);
    for (const { seen } of followers) expect(seen).toEqual(upTo(20));
    logs.append("s", 1, { ended: true });
    expect(await Promise.all(followers.map(({ ended }) => ended))).toEqual(Array(100).fill("ended"));
  });

  it("looks for itself when wake-ups are lost", async () => {
    const { logs, log, settle } = open();
    logs.append("s");
    const { seen } = collect(log, "s");
    await settle();
    logs.mute = true;
    logs.append("s", 3);
    await logs.clock.advance(POLL_MS);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it("waits out an outage, at the beginning and later", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 2);
    logs.away = true;
    const late = collect(log, "s");
    await logs.clock.advance(10_000);
    logs.away = false;
    await logs.clock.advance(2_000);
    expect(late.seen).toEqual([1, 2]);
    logs.away = true;
    logs.append("s", 2);
    await logs.clock.advance(20_000);
    expect(late.seen).toEqual([1, 2]);
    logs.mute = true;
    logs.append("s");
    logs.away = false;
    await logs.clock.advance(2_000);
    expect(late.seen).toEqual(upTo(5));
    await settle();
  });

  it("tells gaps, also to those who waited together", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 3);
    const followers = [collect(log, "s"), collect(log, "s")];
    await settle();
    logs.append("s", 50, { kept: 5 });
    await settle();
    logs.append("s");
    await settle();
    for (const { seen } of followers) expect(seen).toEqual([1, 2, 3, { from: 4, to: 48 }, ...upTo(54, 49)]);
  });

  it("a reader that stands still holds a page, costs nothing meanwhile, and goes on from the log", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 5);
    const slow = log.follow("s")[Symbol.asyncIterator]();
    expect((await slow.next()).value).toMatchObject({ sequence: 1 });
    for (let n = 0; n < 4; n++) await slow.next();
    const waiting = slow.next();
    await settle();
    logs.append("s");
    expect((await waiting).value).toMatchObject({ sequence: 6 });
    logs.reads = 0;
    for (let n = 0; n < 1_000; n++) {
      logs.append("s");
      await settle();
    }
    expect(logs.reads).toBe(0);
    const quick = collect(log, "s", { after: 1_006 });
    for (let n = 0; n < 10; n++) {
      logs.append("s", 100);
      await settle();
    }
    expect(quick.seen).toEqual(upTo(2_006, 1_007));
    for (let n = 7; n <= 2_006; n++) expect((await slow.next()).value).toMatchObject({ sequence: n });
    await slow.return?.();
  });

  it("a stream that expired, and one that took its place, are told", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 3);
    const gone = collect(log, "s");
    await settle();
    logs.streams.delete("s");
    await logs.clock.advance(POLL_MS);
    expect(await gone.ended).toBe("CURSOR_INVALID");
    logs.append("s", 3);
    const replaced = [collect(log, "s"), collect(log, "s", { after: 3 })];
    await settle();
    logs.streams.delete("s");
    logs.append("s", 9);
    expect(await Promise.all(replaced.map(({ ended }) => ended))).toEqual(["CURSOR_INVALID", "CURSOR_INVALID"]);
    expect(replaced[0]?.seen).toEqual([1, 2, 3]);
    expect(log.tails).toBe(0);
  });

  it("who comes before those who waited have noticed a replacement gets the new stream", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 3);
    const old = collect(log, "s");
    await settle();
    logs.mute = true;
    logs.streams.delete("s");
    logs.append("s", 4);
    const young = collect(log, "s");
    await logs.clock.advance(2_000);
    expect(await old.ended).toBe("CURSOR_INVALID");
    expect(young.seen).toEqual(upTo(4));
    logs.mute = false;
    logs.append("s", 1, { ended: true });
    expect(await young.ended).toBe("ended");
  });

  it("a cursor that the stream never had ends it at once", async () => {
    const { logs, log } = open();
    logs.append("s", 3);
    expect(await collect(log, "s", { after: 4 }).ended).toBe("CURSOR_INVALID");
    expect(await collect(log, "none", { after: 1 }).ended).toBe("CURSOR_INVALID");
  });

  it("ends on abort, on return, and when it is closed", async () => {
    const { logs, log, settle } = open();
    logs.append("s", 2);
    const abort = new AbortController();
    const aborted = collect(log, "s", { signal: abort.signal });
    const left = log.follow("s", { after: 2 })[Symbol.asyncIterator]();
    const waiting = left.next();
    // Aborted without being asked again.
    const idle = log.follow("t", { signal: abort.signal })[Symbol.asyncIterator]();
    const never = idle.next();
    const closed = collect(log, "u");
    await settle();
    expect(log.tails).toBe(3);
    abort.abort();
    expect(await aborted.ended).toBe("ended");
    expect((await never).done).toBe(true);
    await left.return?.();
    expect((await waiting).done).toBe(true);
    expect(log.tails).toBe(1);
    expect(await collect(log, "s", { signal: AbortSignal.abort() }).ended).toBe("ended");
    logs.closed = true;
    log.close();
    expect(await closed.ended).toBe("CLOSED");
    expect(await collect(log, "s").ended).toBe("CLOSED");
    expect([...logs.watchers.values()].every(({ size }) => size === 0)).toBe(true);
  });

  it("misses and doubles nothing, whatever comes when", async () => {
    for (let round = 0; round < 300; round++) {
      const { logs, log } = open();
      logs.pageSize = 1 + (round % 4);
      let left = 40;
      const followers = [collect(log, "s")];
      while (left > 0) {
        const turns = (round * 7 + left * 3) % 6;
        for (let turn = 0; turn < turns; turn++) await undefined;
        logs.mute = (round + left) % 3 === 0;
        left -= 1;
        logs.append("s", 1, { ended: left === 0 });
        if (left % 10 === 0 && left > 0) followers.push(collect(log, "s", { after: 40 - left }));
      }
      await logs.clock.advance(2 * POLL_MS);
      for (const [at, { seen, ended }] of followers.entries()) {
        expect(await ended).toBe("ended");
        expect(seen).toEqual(upTo(40, at === 0 ? 1 : at * 10 + 1));
      }
    }
  });
});
