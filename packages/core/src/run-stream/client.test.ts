import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { MemoryLimits } from "../memory/limits.ts";
import { systemClock } from "../ports/clock.ts";
import { silentLogger } from "../ports/logger.ts";
import {
  type FollowRunOptions,
  followRun,
  type Interruption,
  type NamedRunEvent,
  type RunEvent,
  type RunGap,
} from "./client.ts";
import { createRunStreamHandler, type RunStreamHandlerOptions } from "./http.ts";
import { served, TestRuns, until, upTo } from "./run-stream-fixture.ts";
import { encodeRunEvent, encodeRunGap, encodeSse } from "./sse.ts";

const quick: FollowRunOptions = { retry: { initialMs: 1, maxMs: 10 } };

function setUp({
  limits,
  ...options
}: Partial<RunStreamHandlerOptions> & { readonly limits?: Partial<MemoryLimits> } = {}) {
  const runs = new TestRuns(systemClock, limits);
  const handler = createRunStreamHandler({ source: runs.source, clock: systemClock, logger: silentLogger, ...options });
  return { runs, handler };
}

async function sequencesOf(entries: AsyncIterable<RunEvent | RunGap>): Promise<(number | string)[]> {
  const sequences: (number | string)[] = [];
  for await (const entry of entries)
    sequences.push("gap" in entry ? `gap ${entry.gap.from}-${entry.gap.to}` : entry.sequence);
  return sequences;
}

/** A road to a server on which every connection breaks after some bytes of the answers, in the middle of whatever is on it then. */
async function breakingRoad<T>(url: string, budgets: readonly number[], use: (url: string) => Promise<T>): Promise<T> {
  const clients: Socket[] = [];
  const road = createServer((client) => {
    const upstream = connect(Number(new URL(url).port), "127.0.0.1");
    let left = budgets[clients.length % budgets.length] ?? 0;
    clients.push(client);
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    client.pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      if (chunk.length < left) client.write(chunk);
      else client.end(chunk.subarray(0, left), cut);
      left = Math.max(0, left - chunk.length);
    });
    for (const socket of [client, upstream]) socket.on("error", cut).on("close", cut);
  });
  await new Promise<void>((resolve) => road.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(road.address() as AddressInfo).port}`);
  } finally {
    for (const client of clients) client.destroy();
    await new Promise((resolve) => road.close(resolve));
  }
}

/** A `fetch` that answers as told, one answer after the other, and notes what it was asked. */
function scripted(...answers: (() => Response | Promise<Response>)[]) {
  const asked: (string | null)[] = [];
  const fake: typeof fetch = async (_url, init) => {
    asked.push(new Headers(init?.headers).get("last-event-id"));
    const answer = answers.shift();
    if (answer === undefined) throw new Error("asked too often");
    return answer();
  };
  return { fetch: fake, asked };
}

const sse = (...messages: string[]) =>
  new Response(messages.join(""), { headers: { "content-type": "text/event-stream" } });
const token = (sequence: number, event = "token", segment = 1) =>
  encodeRunEvent(
    { runId: "r1", segment },
    { streamId: "s", sequence, timestamp: 0, source: "test", event, data: null },
  );

describe("following a run", () => {
  it("gives every event from history to live, and ends with the run", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 2, (sequence) => ({ text: `é${sequence}\r\n` }));
    await served(handler, async (url) => {
      const events: NamedRunEvent<{ token: { text: string } }>[] = [];
      for await (const event of followRun<{ token: { text: string } }>(`${url}/runs/r1/events`, { onGap() {} })) {
        events.push(event);
        if (event.sequence === 2) await runs.end("r1");
      }
      expect(events[1]).toEqual({
        runId: "r1",
        id: "2",
        sequence: 2,
        timestamp: 1_002,
        source: "test",
        name: "token",
        data: { text: "é2\r\n" },
      });
      expect(events.map((event) => event.name)).toEqual(["token", "token", "lifecycle.completed"]);
      await until("the server lets go", () => runs.following === 0);
    });
  });

  it("misses nothing and doubles nothing over connections that break anywhere", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 300, (sequence) => "🚢".repeat(sequence % 40));
    const budgets = upTo(97).map((index) => 200 + ((index * 7_919) % 3_001));
    await served(handler, (url) =>
      breakingRoad(url, budgets, async (road) => {
        const seen: number[] = [];
        for await (const event of followRun(`${road}/r1`, { ...quick, onGap() {} })) {
          seen.push(event.sequence);
          if (event.sequence === 300) {
            await runs.append("r1", 200, (sequence) => "live".repeat(sequence % 40));
            await runs.end("r1");
          }
        }
        expect(seen).toEqual(upTo(501));
      }),
    );
  });

  it("begins behind the event that is known already, and ends at once where nothing is left", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 5);
    await runs.end("r1");
    await served(handler, async (url) => {
      expect(await sequencesOf(followRun(`${url}/r1`, { lastEventId: "4" }))).toEqual([5, 6]);
      expect(await sequencesOf(followRun(`${url}/r1`, { lastEventId: "6" }))).toEqual([]);
    });
  });

  it("tells what was trimmed, among the events or apart", async () => {
    const { runs, handler } = setUp({ limits: { maxStreamEvents: 10 } });
    await runs.append("r1", 99);
    await runs.end("r1");
    await served(handler, async (url) => {
      const [gap, first, ...rest] = await sequencesOf(followRun(`${url}/r1`));
      expect(gap).toBe(`gap 1-${Number(first) - 1}`);
      expect(rest).toEqual(upTo(100, Number(first) + 1));
      const gaps: RunGap["gap"][] = [];
      const events = await sequencesOf(followRun(`${url}/r1`, { onGap: (told) => gaps.push(told) }));
      expect(events).toEqual([first, ...rest]);
      expect(gaps).toEqual([{ from: 1, to: Number(first) - 1 }]);
    });
  });

  it("asks for its headers at every connection", async () => {
    const seen: (string | null)[] = [];
    const { runs, handler } = setUp({
      authorize: (request) => {
        seen.push(request.headers.get("authorization"));
        return true;
      },
    });
    await runs.append("r1", 5);
    await runs.end("r1");
    let tokens = 0;
    const headers = async () => ({ authorization: `token ${++tokens}` });
    await served(handler, (url) =>
      breakingRoad(url, [500, 500, 10_000], async (road) => {
        expect(await sequencesOf(followRun(`${road}/r1`, { ...quick, headers }))).toEqual(upTo(6));
      }),
    );
    expect(seen).toEqual(["token 1", "token 2", "token 3"]);
  });

  it("waits while the server's store is away", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 2);
    await runs.end("r1");
    runs.connection.cut();
    const told: Interruption[] = [];
    const onInterrupted = (interruption: Interruption) => {
      told.push(interruption);
      if (told.length === 2) runs.connection.mend();
    };
    await served(handler, async (url) => {
      expect(await sequencesOf(followRun(`${url}/r1`, { ...quick, onInterrupted }))).toEqual(upTo(3));
    });
    expect(told).toHaveLength(2);
    for (const { reason, pauseMs } of told) {
      expect(reason).toMatch(/cannot be read at the moment/);
      expect(pauseMs).toBeGreaterThanOrEqual(2_000);
    }
  });

  it("goes on in the segment that it is in, and keeps to it", async () => {
    const { fetch, asked } = scripted(
      () => sse(token(1, "token", 2)),
      () => sse(token(2, "token", 2), token(3, "lifecycle.completed", 2)),
      () => sse(token(8, "lifecycle.completed", 10)),
      () => sse(token(3)),
    );
    const ids: string[] = [];
    for await (const { id } of followRun("http://x/r1", { fetch, ...quick, onGap() {} })) ids.push(id);
    expect(ids).toEqual(["2-1", "2-2", "2-3"]);
    expect(await sequencesOf(followRun("http://x/r1", { fetch, lastEventId: "10-7" }))).toEqual([8]);
    await expect(sequencesOf(followRun("http://x/r1", { fetch, lastEventId: "2-2" }))).rejects.toMatchObject({
      code: "DECODE_FAILED",
    });
    expect(asked).toEqual([null, "2-1", "10-7", "2-2"]);
  });

  it("tells of each connection, and of each interruption with the reason and the pause that follows", async () => {
    const { fetch } = scripted(
      () => Promise.reject(new TypeError("no network")),
      () => sse(token(1)),
      () => new Response(null, { status: 502 }),
      () =>
        sse("retry: 1\n\n", encodeSse({ event: "unavailable", data: JSON.stringify({ detail: "the store is away" }) })),
      () => sse(token(2, "lifecycle.completed")),
    );
    const told: Interruption[] = [];
    let opened = 0;
    const onInterrupted = (interruption: Interruption) => void told.push(interruption);
    const onOpen = () => void opened++;
    expect(await sequencesOf(followRun("http://x/r1", { ...quick, fetch, onOpen, onInterrupted }))).toEqual([1, 2]);
    expect(opened).toBe(2);
    expect(told.map(({ reason }) => reason)).toEqual([
      "no network",
      "the server ended the connection",
      "the server answered 502",
      "the store is away",
    ]);
    for (const { pauseMs } of told) expect(pauseMs).toBeGreaterThan(0);
  });

  it("calls the global fetch as browsers want it called: as nothing's method", async () => {
    const { fetch: answer } = scripted(() => sse(token(1, "lifecycle.completed")));
    vi.stubGlobal("fetch", function (this: unknown, ...request: Parameters<typeof fetch>) {
      if (this !== undefined && this !== globalThis) throw new TypeError("Illegal invocation");
      return answer(...request);
    });
    onTestFinished(() => void vi.unstubAllGlobals());
    const asked: string[] = [];
    const onInterrupted = ({ reason }: Interruption) => {
      asked.push(reason);
      throw new Error("given up");
    };
    expect(await sequencesOf(followRun("http://x/r1", { onInterrupted }))).toEqual([1]);
    expect(asked).toEqual([]);
  });

  it("ends when its signal aborts, and lets go when the loop is left", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 2);
    await served(handler, async (url) => {
      const stop = new AbortController();
      const seen: number[] = [];
      for await (const event of followRun(`${url}/r1`, { signal: stop.signal, onGap() {} })) {
        seen.push(event.sequence);
        if (event.sequence === 2) setImmediate(() => stop.abort());
      }
      expect(seen).toEqual([1, 2]);
      for await (const _ of followRun(`${url}/r1`)) break;
      await until("the server lets go", () => runs.following === 0);
      expect(await sequencesOf(followRun(`${url}/r1`, { signal: stop.signal }))).toEqual([]);
    });
  });
});

describe("a server that refuses", () => {
  it.each<[number, string, Partial<RunStreamHandlerOptions>, FollowRunOptions]>([
    [404, "NOT_FOUND", { runId: () => "unknown" }, {}],
    [403, "FORBIDDEN", { authorize: () => false }, {}],
    [401, "FORBIDDEN", { authorize: () => new Response("<html>", { status: 401 }) }, {}],
    [400, "CURSOR_INVALID", {}, { lastEventId: "99" }],
  ])("is told as it is: %i", async (status, code, handlerOptions, options) => {
    const { runs, handler } = setUp(handlerOptions);
    await runs.append("r1", 1);
    await served(handler, async (url) => {
      await expect(sequencesOf(followRun(`${url}/r1`, options))).rejects.toMatchObject({
        name: "RunStreamError",
        code,
        status,
        unknown: false,
      });
    });
  });

  it.each([
    ["something else", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["events of something else", () => sse("data: hello\n\n")],
    ["JSON of something else", () => sse('data: {"sequence":0}\n\n')],
  ])("or sends %s is told as a server that can't be understood", async (_, answer) => {
    const { fetch } = scripted(answer);
    await expect(sequencesOf(followRun("http://x/r1", { fetch }))).rejects.toMatchObject({ code: "DECODE_FAILED" });
  });

  it("in an answer that never ends is told all the same", async () => {
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"code":'));
          init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
        },
      });
      return new Response(body, { status: 403 });
    };
    const refused = sequencesOf(followRun("http://x/r1", { fetch, idleMs: 20 }));
    await expect(refused).rejects.toMatchObject({ code: "FORBIDDEN", status: 403 });
    const stop = new AbortController();
    const left = sequencesOf(followRun("http://x/r1", { fetch, signal: stop.signal }));
    setTimeout(() => stop.abort(), 20);
    expect(await left).toEqual([]);
  });

  it("for now, in an answer that breaks, is asked again", async () => {
    const broken = () => new ReadableStream({ start: (controller) => controller.error(new TypeError("terminated")) });
    const { fetch } = scripted(
      () => new Response(broken(), { status: 503 }),
      () => sse(token(1, "lifecycle.completed")),
    );
    expect(await sequencesOf(followRun("http://x/r1", { fetch, ...quick }))).toEqual([1]);
  });

  it("never sees a request that cannot be made", async () => {
    await expect(sequencesOf(followRun("no url"))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const headers = { "bad name": "x" };
    await expect(sequencesOf(followRun("http://x/", { headers }))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it.each(["x", "", " 7", "7\n", "1e3", "0x1", "-1", "1.5", "9".repeat(30), "1-7", "02-7", "2-", "2-7-1", "2--7"])(
    "is never asked to go on behind what is no event's id: %j",
    async (lastEventId) => {
      const { fetch, asked } = scripted();
      await expect(sequencesOf(followRun("http://x/", { lastEventId, fetch }))).rejects.toMatchObject({
        code: "CURSOR_INVALID",
      });
      expect(asked).toEqual([]);
    },
  );
});

describe("a server that errs", () => {
  it("by leaving out an event is asked again from the last good one", async () => {
    const { fetch, asked } = scripted(
      () => sse(token(1), token(2), token(4)),
      () => sse(token(3), token(4, "lifecycle.failed")),
    );
    expect(await sequencesOf(followRun("http://x/r1", { fetch, ...quick }))).toEqual(upTo(4));
    expect(asked).toEqual([null, "2"]);
  });

  it("by always leaving out the same event is found out", async () => {
    const { fetch, asked } = scripted(...upTo(10).map(() => () => sse(token(2))));
    await expect(sequencesOf(followRun("http://x/r1", { fetch, ...quick }))).rejects.toMatchObject({
      code: "DECODE_FAILED",
    });
    expect(asked).toHaveLength(5);
  });

  it("by sending events twice is corrected", async () => {
    const { fetch } = scripted(
      () => sse(token(1), token(1), token(2)),
      () =>
        sse(
          token(1),
          encodeRunGap({ runId: "r1", segment: 1 }, { gap: { from: 2, to: 3 } }),
          token(3),
          token(4, "lifecycle.completed"),
        ),
    );
    expect(await sequencesOf(followRun("http://x/r1", { fetch, ...quick }))).toEqual([1, 2, "gap 3-3", 4]);
  });

  it("by falling silent is left, and asked again", async () => {
    let cancelled = false;
    const silent = (signal: AbortSignal) =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(token(1)));
          signal.addEventListener("abort", () => {
            cancelled = true;
            controller.error(signal.reason);
          });
        },
      });
    const { fetch } = scripted(() => sse(token(2, "lifecycle.completed")));
    let calls = 0;
    const first: typeof fetch = async (url, init) => {
      if (calls++ > 0) return fetch(url, init);
      return new Response(silent(init?.signal as AbortSignal), { headers: { "content-type": "text/event-stream" } });
    };
    expect(await sequencesOf(followRun("http://x/r1", { fetch: first, idleMs: 20, ...quick }))).toEqual([1, 2]);
    expect(cancelled).toBe(true);
  });

  it("waits as long as it asks", async () => {
    const { fetch, asked } = scripted(
      () => new Response(null, { status: 429, headers: { "retry-after": "0.01" } }),
      () => Promise.reject(new TypeError("fetch failed")),
      () => sse(token(1, "lifecycle.completed")),
    );
    expect(await sequencesOf(followRun("http://x/r1", { fetch, ...quick }))).toEqual([1]);
    expect(asked).toHaveLength(3);
  });
});

/** Node's own EventSource, which follows the same standard as the browsers'. */
const eventSource = `
const source = new EventSource(process.argv[1]);
const say = (line) => console.log(line);
const alive = setInterval(() => {}, 1_000);
for (const name of ["token", "gap", "lifecycle.completed"]) {
  source.addEventListener(name, (event) => say(event.lastEventId + " " + name));
}
source.addEventListener("error", () => {
  if (source.readyState !== EventSource.CLOSED) return;
  say("closed");
  clearInterval(alive);
});
`;

/** A program that follows a run and does nothing else. */
const follower = `
const { followRun } = await import(process.argv[1]);
const follow = async () => {
  for await (const event of followRun(process.argv[2], { retry: { initialMs: 300 } })) console.log(event.name);
};
// Not awaited here: where nothing keeps the program alive it would end well.
follow();
`;

describe("a program that only follows", () => {
  it("lives on while the server is away", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 1);
    await runs.end("r1");
    await served(handler, (url) =>
      breakingRoad(url, [0, 100_000], async (road) => {
        const args = [
          "--input-type=module",
          "-e",
          follower,
          new URL("./client.ts", import.meta.url).href,
          `${road}/r1`,
        ];
        expect(await linesOf(spawn(process.execPath, args))).toEqual(["token", "lifecycle.completed"]);
      }),
    );
  });
});

function linesOf(child: ChildProcess): Promise<string[]> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve) => child.once("close", () => resolve(output.trim().split("\n"))));
}

describe("an EventSource as browsers have it", () => {
  it("comes back while the server's store is away, and misses nothing", async () => {
    const { runs, handler } = setUp();
    await runs.append("r1", 29);
    await runs.end("r1");
    let requests = 0;
    const shaken = async (request: Request) => {
      if (++requests === 2) runs.connection.cut();
      if (requests === 3) runs.connection.mend();
      return handler(request);
    };
    await served(shaken, (url) =>
      breakingRoad(url, [1_500, 100_000, 100_000], async (road) => {
        const source = [process.execPath, "--experimental-eventsource", "-e", eventSource, `${road}/runs/r1/events`];
        const lines = await linesOf(spawn(source[0] as string, source.slice(1)));
        expect(lines).toEqual([...upTo(29).map((sequence) => `${sequence} token`), "30 lifecycle.completed", "closed"]);
      }),
    );
    expect(requests).toBe(4);
  });

  it("gets every event once over broken connections, and stops when the run is over", async () => {
    const { runs, handler } = setUp({ limits: { maxStreamEvents: 20 } });
    await runs.append("r1", 29);
    await runs.end("r1");
    await served(handler, (url) =>
      breakingRoad(url, [1_000, 2_000, 100_000], async (road) => {
        const child = spawn(process.execPath, [
          "--experimental-eventsource",
          "-e",
          eventSource,
          `${road}/runs/r1/events`,
        ]);
        const lines = await linesOf(child);
        const gapEnd = Number.parseInt(lines[0] ?? "", 10);
        expect(lines).toEqual([
          `${gapEnd} gap`,
          ...upTo(29, gapEnd + 1).map((sequence) => `${sequence} token`),
          "30 lifecycle.completed",
          "closed",
        ]);
      }),
    );
  });
});
