import { describe, expect, it } from "vitest";
import { BatchError, IntermodalError } from "../errors.ts";
import { sleep } from "../ports/clock.ts";
import type { EventStream, NewRunEvent, StreamAppend } from "../ports/event-stream.ts";
import type { Logger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { RunStreamWriter, type RunStreamWriterOptions } from "./writer.ts";

const down = (unknown = false) => new IntermodalError("UNAVAILABLE", "the store is away", { unknown });

/** Stores what it is given, once per (writer, n) and without holes, and fails as the test says. */
class RecordingStream {
  readonly capabilities = { maxEvents: 10_000, maxDataBytes: 1_048_576, safetyTtlMs: 60_000, ttlGranularityMs: 1 };
  readonly calls: (readonly StreamAppend[])[] = [];
  readonly streams = new Map<string, NewRunEvent[]>();
  readonly #highest = new Map<string, number>();
  concurrent = 0;
  mostConcurrent = 0;
  /** Called with what is appended; what it throws is thrown before anything is stored. */
  before: (appends: readonly StreamAppend[]) => void | Promise<void> = () => {};
  after: () => void = () => {};

  async append(appends: readonly StreamAppend[]): Promise<readonly (readonly number[])[]> {
    this.calls.push(appends);
    this.mostConcurrent = Math.max(this.mostConcurrent, ++this.concurrent);
    try {
      await undefined;
      await this.before(appends);
      for (const { streamId, events } of appends) for (const event of events) this.#store(streamId, event);
      this.after();
      return [];
    } finally {
      this.concurrent--;
    }
  }

  #store(streamId: string, event: NewRunEvent): void {
    const key = `${streamId} ${event.writer}`;
    const highest = this.#highest.get(key) ?? 0;
    if (event.n <= highest) return;
    expect(event.n, "numbers rise by one").toBe(highest + 1);
    this.#highest.set(key, event.n);
    const stored = this.streams.get(streamId) ?? [];
    stored.push(event);
    this.streams.set(streamId, stored);
  }

  names(streamId: string): string[] {
    return (this.streams.get(streamId) ?? []).map((event) => event.event);
  }
}

class RecordingLogger implements Logger {
  readonly lines: string[] = [];
  debug(): void {}
  info(message: string, fields?: object): void {
    this.lines.push(`info ${message} ${JSON.stringify(fields)}`);
  }
  warn(message: string, fields?: object): void {
    this.lines.push(`warn ${message} ${JSON.stringify(fields)}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

function setUp(options: Partial<RunStreamWriterOptions> = {}) {
  const stream = new RecordingStream();
  const clock = new VirtualClock();
  const logger = new RecordingLogger();
  const writer = new RunStreamWriter({
    stream: stream as unknown as EventStream,
    clock,
    logger,
    writer: "w",
    ...options,
  });
  const emit = (streamId: string, ...names: string[]) => {
    for (const name of names) writer.emit(streamId, "test", name, null);
  };
  return { stream, clock, logger, writer, emit };
}

async function waiting(writer: RunStreamWriter, streamIds: readonly string[]): Promise<readonly string[]> {
  const outcomes = await Promise.all(streamIds.map((streamId) => writer.flush(streamId, { timeoutMs: 0 })));
  return streamIds.filter((_, at) => outcomes[at] === "waiting");
}

const numbered = (count: number, prefix = "e") => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe("what is emitted", () => {
  it("is gathered over all streams, and keeps its order", async () => {
    const { stream, clock, emit, writer } = setUp({ flushMs: 5 });
    emit("a", "1", "2");
    emit("b", "1");
    emit("a", "3");
    await clock.advance(4);
    expect(stream.calls).toHaveLength(0);
    await clock.advance(1);
    expect(stream.calls).toHaveLength(1);
    expect(stream.names("a")).toEqual(["1", "2", "3"]);
    expect(stream.names("b")).toEqual(["1"]);
    expect(writer.stats).toEqual({ lost: 0, queued: 0 });
  });

  it("has the time and the data of that moment", async () => {
    const { stream, clock, writer } = setUp();
    const data = { list: [1], text: "before" };
    const emittedAt = clock.now();
    writer.emit("a", "task-1", "token", data);
    data.list.push(2);
    data.text = "after";
    await clock.advance(100);
    expect(stream.streams.get("a")).toMatchObject([
      { source: "task-1", event: "token", timestamp: emittedAt, data: { list: [1], text: "before" } },
    ]);
  });

  it("is appended one call at a time, and what comes meanwhile follows in the next", async () => {
    const { stream, emit, writer } = setUp();
    emit("a", "1");
    const first = writer.flush("a", { timeoutMs: 1_000 });
    stream.before = () => {
      if (stream.calls.length === 1) emit("a", "2", "3");
    };
    expect(await first).toBe("stored");
    expect(await writer.flush("a", { timeoutMs: 1_000 })).toBe("stored");
    expect(stream.calls.map((call) => call[0]?.events.length)).toEqual([1, 2]);
    expect(stream.mostConcurrent).toBe(1);
    expect(stream.names("a")).toEqual(["1", "2", "3"]);
  });

  it("keeps its numbering while a stream is remembered, and begins another after that", async () => {
    const { stream, clock, emit } = setUp();
    emit("a", "1");
    await clock.advance(10);
    emit("a", "2");
    await clock.advance(10);
    for (const name of numbered(20_000)) {
      emit(name, "x");
      if (name.endsWith("999")) await clock.advance(10);
    }
    emit("a", "3");
    await clock.advance(10);
    const [one, two, three] = stream.streams.get("a") ?? [];
    expect([one?.n, two?.n, three?.n]).toEqual([1, 2, 1]);
    expect(two?.writer).toBe(one?.writer);
    expect(three?.writer).not.toBe(one?.writer);
  });

  it.each(["a\nb", "a\rb", "a\0b"])("is refused at once with %j in its name", (name) => {
    const { writer } = setUp();
    expect(() => writer.emit("a", "test", name, null)).toThrow(expect.objectContaining({ code: "VALIDATION_FAILED" }));
    expect(writer.stats).toEqual({ lost: 0, queued: 0 });
  });

  it("is refused at once when its data is larger than the store takes, to the byte", async () => {
    const { stream, clock, writer } = setUp();
    writer.emit("a", "test", "fits", "x".repeat(1_048_574));
    writer.emit("a", "test", "fits too", "é".repeat(524_287));
    for (const data of ["x".repeat(1_048_575), "é".repeat(524_288), ["\u0001".repeat(174_763)]]) {
      expect(() => writer.emit("a", "test", "large", data)).toThrow(
        expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
      );
    }
    await clock.advance(10);
    expect(stream.names("a")).toEqual(["fits", "fits too"]);
  });

  it("is refused at once when it has no JSON form", () => {
    const { writer } = setUp();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const data of [circle, 1n, { deep: [2n] }]) {
      expect(() => writer.emit("a", "test", "x", data as never)).toThrow(
        expect.objectContaining({ code: "NOT_SERIALIZABLE" }),
      );
    }
  });
});

describe("flush", () => {
  it("does not wait for gathering", async () => {
    const { emit, writer, stream } = setUp({ flushMs: 60_000 });
    emit("a", "1");
    expect(await writer.flush("a", { timeoutMs: 1_000 })).toBe("stored");
    expect(stream.names("a")).toEqual(["1"]);
    expect(await writer.flush("unknown", { timeoutMs: 1_000 })).toBe("stored");
  });

  it("is bounded, and while the store is away no longer than since it went", async () => {
    const { emit, writer, stream, clock } = setUp();
    stream.before = () => {
      throw down();
    };
    emit("a", "1");
    let first: string | undefined;
    void writer.flush("a", { timeoutMs: 1_000 }).then((outcome) => {
      first = outcome;
    });
    await clock.advance(999);
    expect(first).toBe(undefined);
    await clock.advance(1);
    expect(first).toBe("waiting");
    expect(await writer.flush("a", { timeoutMs: 1_000 })).toBe("waiting");
  });

  it("is bounded by a store that does not answer", async () => {
    const { emit, writer, stream, clock } = setUp();
    stream.before = () => new Promise(() => {});
    emit("a", "1");
    const flushes = [writer.flush("a", { timeoutMs: 1_000 })];
    await clock.advance(500);
    emit("b", "1");
    flushes.push(writer.flush("b", { timeoutMs: 1_000 }));
    await clock.advance(500);
    expect(await Promise.all(flushes)).toEqual(["waiting", "waiting"]);
  });

  it("tells what was lost from what waits", async () => {
    const { emit, writer, stream } = setUp();
    stream.before = () => {
      throw new IntermodalError("STREAM_ENDED", "it is over");
    };
    emit("a", "1");
    expect(await writer.flush("a", { timeoutMs: 1_000 })).toBe("lost");
  });

  it("serves many waiters of one stream", async () => {
    const { emit, writer, stream } = setUp({ flushMs: 60_000 });
    const flushes = numbered(500).map((name) => {
      emit("a", name);
      return writer.flush("a", { timeoutMs: 1_000 });
    });
    expect(new Set(await Promise.all(flushes))).toEqual(new Set(["stored"]));
    expect(stream.calls).toHaveLength(1);
  });
});

describe("a store that is away", () => {
  it("gets everything once when it is back, in order, and is logged once each way", async () => {
    const { emit, writer, stream, clock, logger } = setUp();
    let away = true;
    stream.before = () => {
      if (away) throw down();
    };
    for (const name of numbered(50)) {
      emit("a", name);
      await clock.advance(200);
    }
    expect(stream.calls.length).toBeLessThan(12);
    expect(writer.stats).toEqual({ lost: 0, queued: 50 });
    away = false;
    await clock.advance(5_000);
    expect(stream.names("a")).toEqual(numbered(50));
    expect(writer.stats).toEqual({ lost: 0, queued: 0 });
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn .*cannot be reached/),
      expect.stringMatching(/^info .*stored again {"lost":0}$/),
    ]);
  });

  it("is back also where all that waited for it belongs to runs that have ended meanwhile", async () => {
    const { emit, writer, stream, clock, logger } = setUp();
    stream.before = () => Promise.reject(down());
    emit("a", "1");
    await clock.advance(1_000);
    stream.before = () => Promise.reject(new IntermodalError("STREAM_ENDED", "it has ended"));
    await clock.advance(10_000);
    expect(writer.stats).toEqual({ lost: 1, queued: 0 });
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn .*cannot be reached/),
      expect.stringMatching(/^info .*stored again {"lost":1}$/),
    ]);
  });

  it.each([
    ["refuses all in one", new IntermodalError("FORBIDDEN", "who are you?")],
    ["fails in a way of its own", new Error("out of order")],
  ])("and then %s gets everything that it did not refuse when it is well", async (_, failure) => {
    const { stream, clock, emit, writer } = setUp();
    stream.before = () => Promise.reject(down());
    for (const streamId of ["a", "b", "c"]) emit(streamId, "1");
    await clock.advance(50);
    stream.before = () => Promise.reject(failure);
    await clock.advance(60);
    stream.before = () => {};
    for (const streamId of ["a", "b", "c"]) emit(streamId, "2");
    await clock.advance(10_000);
    expect(writer.stats.queued).toBe(0);
    for (const streamId of ["a", "b", "c"]) expect(stream.names(streamId).at(-1)).toBe("2");
  });

  it("has events waiting for it, of the streams that were written to", async () => {
    const { stream, clock, emit, writer } = setUp();
    emit("c", "1");
    await clock.advance(100);
    emit("a", "1");
    stream.before = () => Promise.reject(down());
    await clock.advance(100);
    emit("b", "1");
    expect(await waiting(writer, ["a", "b", "c"])).toEqual(["a", "b"]);
    stream.before = () => {};
    await clock.advance(10_000);
    expect(await waiting(writer, ["a", "b", "c"]), "once it is back").toEqual([]);
  });

  it("has the events of some streams waiting, and takes those of others", async () => {
    const { stream, clock, emit, writer } = setUp();
    let away = true;
    stream.before = (appends) => {
      if (!away) return;
      const failures = appends.map(({ streamId }) => (streamId === "ill" ? down(true) : undefined));
      if (failures.some((failure) => failure !== undefined)) throw new BatchError(failures);
    };
    emit("ill", "1");
    emit("well", "1");
    await clock.advance(50);
    expect(await waiting(writer, ["ill", "well"]), "while others of its batch were stored").toEqual(["ill"]);
    await clock.advance(100);
    expect(
      stream.calls.at(-1)?.map(({ streamId }) => streamId),
      "tried again, alone",
    ).toEqual(["ill"]);
    emit("new", "1");
    expect(await writer.flush("new", { timeoutMs: 1_000 }), "before the next try of those").toBe("stored");
    expect(await waiting(writer, ["ill", "new"])).toEqual(["ill"]);
    away = false;
    await clock.advance(10_000);
    expect(await waiting(writer, ["ill"]), "once it is back").toEqual([]);
    expect(writer.stats).toEqual({ lost: 0, queued: 0 });
  });

  it("is tried for other streams while few have failed, and a flush lets it answer them", async () => {
    const { stream, clock, emit, writer } = setUp();
    stream.before = async (appends) => {
      if (appends.some(({ streamId }) => streamId.startsWith("ill"))) throw down();
    };
    emit("well", "1");
    await clock.advance(10);
    for (let n = 0; n < 15; n++) {
      emit(`ill${n}`, "1");
      await clock.advance(100);
    }
    emit("new", "1");
    expect(await writer.flush("new", { timeoutMs: 1_000 })).toBe("stored");
    for (let n = 0; n < 20; n++) {
      emit(`ill too ${n}`, "1");
      await clock.advance(100);
    }
    const calls = stream.calls.length;
    emit("late", "1");
    expect(await writer.flush("late", { timeoutMs: 1_000 }), "taken to be away as a whole").toBe("waiting");
    expect(stream.calls.length).toBe(calls);
  });

  it("has no events waiting that it refused", async () => {
    const { stream, clock, emit, writer } = setUp();
    let failure = down(true);
    stream.before = (appends) => {
      if (appends.some(({ streamId }) => streamId === "a")) throw failure;
    };
    emit("a", "1");
    await clock.advance(50);
    expect(await waiting(writer, ["a"])).toEqual(["a"]);
    failure = new IntermodalError("STREAM_ENDED", "it has ended");
    await clock.advance(1_000);
    emit("a", "2");
    expect(await writer.flush("a", { timeoutMs: 1_000 })).toBe("lost");
  });

  it("is given a lost answer's events again under the same numbers", async () => {
    const { emit, stream, clock } = setUp();
    let answersToLose = 2;
    stream.after = () => {
      if (answersToLose-- > 0) throw down(true);
    };
    emit("a", "1", "2");
    await clock.advance(50);
    emit("a", "3");
    await clock.advance(1_000);
    const sent = stream.calls.map((call) => call[0]?.events.map(({ writer, n }) => `${writer} ${n}`));
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[2]).toEqual(sent[0]);
    expect(stream.names("a")).toEqual(["1", "2", "3"]);
  });

  it("with one part only keeps the last events of other streams waiting for as long as it does not answer", async () => {
    const { emit, stream, clock, writer } = setUp();
    let hangs = true;
    stream.before = async (appends) => {
      if (!hangs || !appends.some(({ streamId }) => streamId === "ill")) return;
      await sleep(clock, 5_000);
      throw new BatchError(appends.map(({ streamId }) => (streamId === "ill" ? down(true) : undefined)));
    };
    emit("ill", "1");
    await clock.advance(5);
    emit("well", "1");
    const flushed = writer.flush("well", { timeoutMs: 1_000 });
    await clock.advance(1_000);
    expect(await flushed).toBe("waiting");
    hangs = false;
    await clock.advance(10_000);
    expect(await writer.flush("well", { timeoutMs: 1_000 })).toBe("stored");
  });

  it("is told of again when it was well in between, however much comes meanwhile", async () => {
    const { emit, stream, clock, logger } = setUp();
    let away = true;
    stream.before = () => {
      if (away) throw down();
      emit("busy", "more");
    };
    emit("a", "1");
    await clock.advance(50);
    away = false;
    await clock.advance(1_000);
    away = true;
    await clock.advance(1_000);
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn .*cannot be reached/),
      expect.stringMatching(/^info .*stored again/),
      expect.stringMatching(/^warn .*cannot be reached/),
    ]);
  });

  it("costs the oldest events of the stream that has most, counted, and no memory", async () => {
    const { emit, writer, stream, clock, logger } = setUp({ maxQueuedEvents: 100 });
    let away = true;
    stream.before = () => {
      if (away) throw down();
    };
    emit("quiet", "1", "2");
    await clock.advance(10);
    emit("chatty", ...numbered(1_000));
    emit("quiet", "3");
    expect(writer.stats).toEqual({ lost: 903, queued: 100 });
    away = false;
    await clock.advance(5_000);
    expect(stream.names("quiet")).toEqual(["1", "2", "3"]);
    expect(stream.names("chatty")).toEqual(numbered(1_000).slice(-97));
    expect(writer.stats).toEqual({ lost: 903, queued: 0 });
    expect(logger.lines).toEqual([
      expect.stringMatching(/^warn .*cannot be reached/),
      expect.stringMatching(/^warn .*dropped/),
      expect.stringMatching(/^info .*{"lost":903}$/),
    ]);
    expect(await writer.flush("chatty", { timeoutMs: 1 })).toBe("lost");
  });

  it("is bounded in bytes too", () => {
    const { writer } = setUp({ maxQueuedBytes: 100_000 });
    for (let index = 0; index < 50; index++) writer.emit("a", "test", "large", "x".repeat(10_000));
    expect(writer.stats).toEqual({ lost: 41, queued: 9 });
  });

  it("for some streams only delays no other", async () => {
    const { emit, stream, clock, writer } = setUp();
    let away = true;
    stream.before = async (appends) => {
      if (!away || !appends.some(({ streamId }) => streamId === "a")) return;
      const rest = appends.filter(({ streamId }) => streamId !== "a");
      stream.before = () => {};
      await stream.append(rest);
      throw new BatchError(appends.map(({ streamId }) => (streamId === "a" ? down() : undefined)));
    };
    emit("a", "1");
    emit("b", "1");
    await clock.advance(5);
    expect(stream.names("b")).toEqual(["1"]);
    emit("b", "2");
    await clock.advance(5);
    expect(stream.names("b")).toEqual(["1", "2"]);
    expect(writer.stats.queued).toBe(1);
    away = false;
    await clock.advance(100);
    expect(stream.names("a")).toEqual(["1"]);
  });
});

describe("a store that refuses", () => {
  it("an ended stream costs its events alone", async () => {
    const { emit, writer, stream, clock, logger } = setUp();
    stream.before = (appends) => {
      if (!appends.some(({ streamId }) => streamId === "over")) return;
      throw new BatchError(
        appends.map(({ streamId }) =>
          streamId === "over" ? new IntermodalError("STREAM_ENDED", "it is over") : down(),
        ),
      );
    };
    emit("over", "1", "2");
    emit("a", "1");
    await clock.advance(1_000);
    expect(writer.stats).toEqual({ lost: 2, queued: 0 });
    expect(stream.names("a")).toEqual(["1"]);
    expect(logger.lines.filter((line) => line.includes("refused"))).toEqual([]);
  });

  it("is asked stream by stream when it refuses all for one", async () => {
    const { emit, writer, stream, clock } = setUp();
    stream.before = (appends) => {
      if (appends.some(({ events }) => events.some(({ event }) => event === "poison"))) throw new TypeError("no");
    };
    emit("a", "1");
    emit("b", "poison");
    emit("c", "1");
    await clock.advance(100);
    emit("b", "fine");
    await clock.advance(100);
    expect([stream.names("a"), stream.names("b"), stream.names("c")]).toEqual([["1"], ["fine"], ["1"]]);
    expect(writer.stats).toEqual({ lost: 1, queued: 0 });
  });

  it("for good, when it was closed, costs all that comes", async () => {
    const { emit, writer, stream, clock } = setUp();
    stream.before = () => {
      throw new IntermodalError("CLOSED", "closed");
    };
    emit("a", "1");
    emit("b", "1");
    await clock.advance(10_000);
    emit("a", "2");
    expect(stream.calls).toHaveLength(1);
    expect(writer.stats).toEqual({ lost: 3, queued: 0 });
  });
});

describe("close", () => {
  it("stores what waits and takes nothing more", async () => {
    const { emit, writer, stream } = setUp({ flushMs: 60_000 });
    emit("a", "1");
    emit("b", "1");
    const closed = writer.close({ timeoutMs: 1_000 });
    emit("a", "late");
    expect(await closed).toBe(true);
    expect(await writer.close({ timeoutMs: 0 })).toBe(true);
    expect([stream.names("a"), stream.names("b")]).toEqual([["1"], ["1"]]);
    expect(writer.stats).toEqual({ lost: 1, queued: 0 });
  });

  it("is bounded: what is left then is lost, counted and logged", async () => {
    const { emit, writer, stream, clock, logger } = setUp();
    stream.before = () => {
      throw down();
    };
    emit("a", "1", "2");
    const closed = writer.close({ timeoutMs: 1_000 });
    await clock.advance(1_000);
    expect(await closed).toBe(false);
    expect(writer.stats).toEqual({ lost: 2, queued: 0 });
    expect(logger.lines.at(-1)).toMatch(/^warn .*lost {"lost":2}$/);
    expect(clock.nextTimerAt()).toBe(undefined);
  });
});
