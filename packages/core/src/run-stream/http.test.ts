import { describe, expect, it } from "vitest";
import { IntermodalError } from "../errors.ts";
import type { MemoryLimits } from "../memory/limits.ts";
import { silentLogger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { WireHistoryPage } from "./history.ts";
import { createRunStreamHandler, type RunStreamHandlerOptions } from "./http.ts";
import { TestRuns, upTo } from "./run-stream-fixture.ts";
import { type SseMessage, SseParser } from "./sse-parser.ts";

interface Setup extends Partial<RunStreamHandlerOptions> {
  readonly limits?: Partial<MemoryLimits>;
}

function setUp({ limits, ...options }: Setup = {}) {
  const clock = new VirtualClock();
  const runs = new TestRuns(clock, limits);
  const handler = createRunStreamHandler({ source: runs.source, clock, logger: silentLogger, ...options });
  const get = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    handler(new Request(`http://localhost${path}`, { headers, ...init }));
  return { clock, runs, handler, get };
}

async function messagesOf(response: Response): Promise<SseMessage[]> {
  return new SseParser().push(await response.bytes());
}

const ids = async (response: Response) => (await messagesOf(response)).map((message) => Number(message.id));
const JSON_ONLY = { accept: "application/json" };
const pageOf = async (response: Response) => (await response.json()) as WireHistoryPage;

describe("a run's stream", () => {
  it("is sent from its first event to its end, each event under its sequence and name", async () => {
    const { runs, get } = setUp();
    await runs.append("r1", 3);
    const response = await get("/runs/r1/events");
    await runs.append("r1", 2);
    await runs.end("r1");
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      vary: "accept, last-event-id",
      "x-accel-buffering": "no",
    });
    const messages = await messagesOf(response);
    expect(messages.map(({ id, event }) => `${id} ${event}`)).toEqual([
      ...upTo(5).map((id) => `${id} token`),
      "6 lifecycle.completed",
    ]);
    expect(JSON.parse(messages[1]?.data ?? "")).toEqual({
      run_id: "r1",
      timestamp: 1_002,
      sequence: 2,
      source: "test",
      event: "token",
      data: { sequence: 2 },
    });
    expect(runs.following).toBe(0);
  });

  it("goes on behind any event that a client names, by header or query", async () => {
    const { runs, get } = setUp();
    await runs.append("r1", 20);
    await runs.end("r1");
    for (const after of upTo(20, 0)) {
      const rest = upTo(21, after + 1);
      expect(await ids(await get("/r1", { "last-event-id": String(after) }))).toEqual(rest);
      expect(await ids(await get(`/r1?lastEventId=${after}`))).toEqual(rest);
    }
    // What a browser sends when it comes back counts, not what the page began with.
    expect(await ids(await get("/r1?lastEventId=3", { "last-event-id": "19" }))).toEqual([20, 21]);
  });

  it("answers 204 once it is over and nothing is left, so that browsers stop", async () => {
    const { runs, get } = setUp();
    await runs.append("r1", 2);
    await runs.end("r1");
    const response = await get("/r1", { "last-event-id": "3" });
    expect(response.status).toBe(204);
    expect(response.body).toBe(null);
    // A shared cache would give it to who has seen nothing yet.
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("says what was trimmed, and goes on behind it", async () => {
    const { runs, get } = setUp({ limits: { maxStreamEvents: 10 } });
    await runs.append("r1", 100);
    await runs.end("r1");
    const [gap, ...rest] = await messagesOf(await get("/r1", { "last-event-id": "5" }));
    const { from, to } = JSON.parse(gap?.data ?? "") as { from: number; to: number };
    expect(gap?.event).toBe("gap");
    expect(gap?.id).toBe(String(to));
    expect(from).toBe(6);
    expect(rest.map((message) => Number(message.id))).toEqual(upTo(101, to + 1));
    expect(rest.length).toBeGreaterThanOrEqual(10);
  });

  it.each(["seven", "-1", "1.5", "1e3", "0x1", "9".repeat(30), "3", "1-1", "0-1", "-1-1", "2-"])(
    "answers 400 to an event id it never had: %s",
    async (id) => {
      const { runs, get } = setUp();
      await runs.append("r1", 2);
      const response = await get("/r1", { "last-event-id": id });
      expect(response.status).toBe(400);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(await response.json()).toMatchObject({ status: 400, code: "CURSOR_INVALID" });
    },
  );

  it.each([
    "%00",
    "1%00",
    "1%0A",
    "1%0D%0Aid:%202",
    "%D9%A3",
    "%EF%BC%91",
    "1,1",
    "+1",
    "NaN",
    "9".repeat(10_000),
    "[object]",
  ])("answers 400 to what is no event id, in the query too: %s", async (id) => {
    const { runs, get } = setUp();
    await runs.append("r1", 2);
    for (const answer of [await get(`/r1?lastEventId=${id}`), await get(`/r1?after=${id}`, JSON_ONLY)]) {
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "CURSOR_INVALID" });
    }
  });

  it("takes another run's event id for a position in this one, and answers 400 where this one is shorter", async () => {
    const { runs, get } = setUp();
    await runs.append("long", 20);
    await runs.append("short", 3);
    await runs.end("short");
    expect((await get("/short", { "last-event-id": "20" })).status).toBe(400);
    expect(await ids(await get("/short", { "last-event-id": "2" }))).toEqual([3, 4]);
  });

  it("answers 400 to several event ids", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 2);
    const headers = new Headers([
      ["last-event-id", "1"],
      ["last-event-id", "2"],
    ]);
    expect((await handler(new Request("http://localhost/r1", { headers }))).status).toBe(400);
  });

  it.each([
    ["/runs/a%2Fb/events", "a/b"],
    ["/api/runs/42/events", "42"],
    ["/api/runs/42/", "42"],
    ["/runs/events", "events"],
    ["/stream/%F0%9F%9A%A2?x=/y", "🚢"],
  ])("is found by its path: %s", async (path, runId) => {
    const { runs, get } = setUp();
    await runs.append(runId, 1);
    await runs.end(runId);
    expect(await ids(await get(path))).toEqual([1, 2]);
  });

  it("is found as the application says", async () => {
    const { runs, get } = setUp({ runId: (request) => new URL(request.url).searchParams.get("run") ?? undefined });
    await runs.append("r1", 1);
    await runs.end("r1");
    expect(await ids(await get("/events?run=r1"))).toEqual([1, 2]);
    expect((await get("/events")).status).toBe(404);
  });

  it.each(["/runs/unknown/events", "/", "/runs/%/events"])("answers 404 where there is none: %s", async (path) => {
    const response = await setUp().get(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "NOT_FOUND" });
  });

  it("can be read only, as an event stream or as JSON", async () => {
    const { get } = setUp();
    const posted = await get("/r1", {}, { method: "POST" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET"]);
    expect((await get("/r1", { accept: "image/png" })).status).toBe(406);
  });
});

describe("authorisation", () => {
  it("is asked at every connection, before anything is told of the run", async () => {
    const asked: string[] = [];
    const { get } = setUp({
      authorize: (request, runId) => {
        asked.push(`${runId} ${request.headers.get("authorization")}`);
        return false;
      },
    });
    for (const token of ["one", "two"]) expect((await get("/unknown", { authorization: token })).status).toBe(403);
    expect(asked).toEqual(["unknown one", "unknown two"]);
  });

  it("may answer itself, and lets nobody in by mistake", async () => {
    const lines: string[] = [];
    const { runs, get } = setUp({
      logger: { ...silentLogger, error: (message) => void lines.push(message) },
      authorize: async (request) => {
        const token = request.headers.get("authorization");
        if (token === "good") return true;
        if (token === "bad") return new Response("who are you?", { status: 401 });
        if (token === "broken") throw new Error("secret detail");
        if (token === "misled") throw new IntermodalError("VALIDATION_FAILED", "secret detail");
        return undefined as unknown as boolean;
      },
    });
    await runs.append("r1", 1);
    await runs.end("r1");
    const statusOf = async (authorization: string) => (await get("/r1", { authorization })).status;
    expect(await Promise.all(["good", "bad", "forgot"].map(statusOf))).toEqual([200, 401, 403]);
    for (const token of ["broken", "misled"]) {
      const broken = await get("/r1", { authorization: token });
      expect(broken.status).toBe(500);
      expect(await broken.text()).not.toContain("secret");
    }
    expect(lines).toEqual(["`authorize` failed", "`authorize` failed"]);
  });

  it("that fails for a moment costs no browser its stream", async () => {
    const { get } = setUp({
      authorize: () => {
        throw new Error("secret detail");
      },
    });
    const answer = await get("/r1", { accept: "text/event-stream" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    const [message, ...more] = await messagesOf(answer);
    expect([message?.event, message?.id, more]).toEqual(["unavailable", "", []]);
    expect(message?.data).not.toContain("secret");
  });
});

describe("a store that is away", () => {
  it.each(["*/*", "application/json"])("is said clearly to who wants %s, until it is back", async (accept) => {
    const { runs, get } = setUp();
    await runs.append("r1", 2);
    await runs.end("r1");
    runs.connection.cut();
    const response = await get("/r1", { accept });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ status: 503, code: "UNAVAILABLE" });
    runs.connection.mend();
    expect((await get("/r1", { accept })).status).toBe(200);
  });

  it("is said in the stream to who asks for one, so that an EventSource comes back", async () => {
    const { runs, get } = setUp();
    await runs.append("r1", 2);
    await runs.end("r1");
    runs.connection.cut();
    const response = await get("/r1", { accept: "text/event-stream", "last-event-id": "1" });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(/^retry: 2000$/m);
    expect(text).not.toMatch(/^id:/m);
    const [message, ...more] = new SseParser().push(new TextEncoder().encode(text));
    expect([message?.event, more]).toEqual(["unavailable", []]);
    expect(JSON.parse(message?.data ?? "")).toMatchObject({ status: 503, code: "UNAVAILABLE" });
    runs.connection.mend();
    expect(await ids(await get("/r1", { accept: "text/event-stream", "last-event-id": "1" }))).toEqual([2, 3]);
  });

  it("is logged once, however many readers are turned away, and once when it is back", async () => {
    const lines: string[] = [];
    const log = (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`);
    const { runs, get } = setUp({ logger: { ...silentLogger, info: log, warn: log } });
    await runs.append("r1", 2);
    await runs.end("r1");
    for (const turnedAway of [5, 1]) {
      lines.length = 0;
      runs.connection.cut();
      for (let reader = 0; reader < turnedAway; reader++) await get("/r1");
      expect(lines).toEqual([expect.stringMatching(/^the events of runs cannot be read: /)]);
      runs.connection.mend();
      for (let reader = 0; reader < 3; reader++) await get("/r1", JSON_ONLY);
      expect(lines.slice(1)).toEqual([`the events of runs can be read again {"turnedAway":${turnedAway}}`]);
    }
  });

  it("may be the one that knows where runs are", async () => {
    const { runs } = setUp();
    const locate = () => Promise.reject(new IntermodalError("UNAVAILABLE", "amqp://user:pass@host is away"));
    const { get } = setUp({ source: { eventStream: runs.eventStream, locate } });
    const response = await get("/r1");
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("host");
  });

  it("does not end a stream that is open", async () => {
    const { clock, runs, get } = setUp();
    await runs.append("r1", 2);
    const response = await get("/r1");
    await clock.advance(1_000);
    runs.connection.cut();
    await clock.advance(60_000);
    runs.connection.mend();
    await runs.append("r1", 2);
    await runs.end("r1");
    const read = ids(response);
    await clock.advance(60_000);
    expect(await read).toEqual(upTo(5));
  });
});

describe("a connection", () => {
  it("has a heartbeat while nothing happens", async () => {
    const { clock, runs, get } = setUp();
    await runs.append("r1", 1);
    const response = await get("/r1");
    await clock.advance(15_000 * 3 + 1_000);
    await runs.end("r1");
    await clock.settle();
    const text = await response.text();
    expect(text.match(/^: heartbeat$/gm)).toHaveLength(3);
    expect(runs.following).toBe(0);
  });

  it("follows no longer when the request is aborted", async () => {
    const { clock, runs, get } = setUp();
    await runs.append("r1", 1);
    const client = new AbortController();
    const response = await get("/r1", {}, { signal: client.signal });
    await clock.settle();
    expect(runs.following).toBe(1);
    client.abort();
    await clock.settle();
    expect(runs.following).toBe(0);
    expect(await ids(response)).toEqual([1]);
  });

  it("follows no longer when its body is cancelled", async () => {
    const { clock, runs, get } = setUp();
    await runs.append("r1", 1);
    const response = await get("/r1");
    await clock.settle();
    await response.body?.cancel();
    await clock.settle();
    expect(runs.following).toBe(0);
    await clock.advance(60_000);
  });

  it("that is not read holds a bounded amount, and is cut off", async () => {
    const { clock, runs, get } = setUp({ maxBufferedBytes: 50_000 });
    await runs.append("r1", 1_000, () => "x".repeat(10_000));
    const response = await get("/r1");
    await clock.settle();
    expect(runs.taken).toBeLessThanOrEqual(6);
    await clock.advance(15_000);
    expect(runs.following).toBe(1);
    await clock.advance(15_000);
    expect(runs.following).toBe(0);
    await expect(response.text()).rejects.toThrow("cut off");
  });

  it("that is read slowly is not cut off", async () => {
    const { clock, runs, get } = setUp({ maxBufferedBytes: 50_000 });
    await runs.append("r1", 50, () => "x".repeat(10_000));
    await runs.end("r1");
    const reader = ((await get("/r1")).body as ReadableStream<Uint8Array>).getReader();
    const parser = new SseParser();
    const seen: number[] = [];
    for (;;) {
      await clock.advance(14_000);
      const { done, value } = await reader.read();
      if (done) break;
      seen.push(...parser.push(value).map((message) => Number(message.id)));
    }
    expect(seen).toEqual(upTo(51));
  });
});

describe("a client that reads slowly what is large", () => {
  it.each([
    ["amid what is small", (sequence: number) => "x".repeat(sequence === 50 ? 500_000 : 1_000)],
    ["all of it", () => "x".repeat(300_000)],
  ])("is not cut off: %s", async (_, make) => {
    const { clock, runs, get } = setUp({ maxBufferedBytes: 50_000 });
    await runs.append("r1", 60, make);
    await runs.end("r1");
    const reader = ((await get("/r1")).body as ReadableStream<Uint8Array>).getReader();
    const parser = new SseParser();
    const seen: number[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      expect(value.byteLength).toBeLessThanOrEqual(65_536);
      seen.push(...parser.push(value).map((message) => Number(message.id)));
      await clock.advance(10_000);
    }
    expect(seen).toEqual(upTo(61));
  });
});

describe("the history", () => {
  it("comes in pages, whole and in order", async () => {
    const { runs, get } = setUp();
    await runs.append("r1", 25);
    await runs.end("r1");
    const seen: number[] = [];
    let after = "0";
    for (const size of [10, 10, 6, 0]) {
      const page = await pageOf(await get(`/runs/r1/events?after=${after}&limit=10`, JSON_ONLY));
      expect(page).toMatchObject({ last: 26, ended: true });
      expect(page.events).toHaveLength(size);
      seen.push(...page.events.map((event) => event.sequence));
      after = page.next;
    }
    expect(seen).toEqual(upTo(26));
  });

  it("has a thousand events at once", async () => {
    const { runs, get } = setUp();
    await runs.append("r1", 1_500);
    const page = await pageOf(await get("/r1", JSON_ONLY));
    expect(page.events).toHaveLength(1_000);
    expect(page).toMatchObject({ next: "1000", last: 1_500, ended: false });
    expect(page.events[0]).toEqual({
      run_id: "r1",
      timestamp: 1_001,
      sequence: 1,
      source: "test",
      event: "token",
      data: { sequence: 1 },
    });
  });

  it("says what was trimmed", async () => {
    const { runs, get } = setUp({ limits: { maxStreamEvents: 10 } });
    await runs.append("r1", 100);
    const page = await pageOf(await get("/r1?after=5", JSON_ONLY));
    expect(page.gap).toEqual({ from: 6, to: Number(page.events[0]?.sequence) - 1 });
    expect(page.next).toBe("100");
  });

  it.each([
    ["limit=0", "VALIDATION_FAILED"],
    ["limit=1001", "VALIDATION_FAILED"],
    ["limit=ten", "VALIDATION_FAILED"],
    ["after=-1", "CURSOR_INVALID"],
    ["after=3", "CURSOR_INVALID"],
  ])("refuses %s", async (query, code) => {
    const { runs, get } = setUp();
    await runs.append("r1", 2);
    const response = await get(`/r1?${query}`, JSON_ONLY);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code });
  });
});
