import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../ports/clock.ts";
import { silentLogger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { createRunStreamHandler } from "./http.ts";
import { toNodeHandler } from "./node-http.ts";
import { served, TestRuns, until, upTo } from "./run-stream-fixture.ts";
import { SseParser } from "./sse-parser.ts";

/** Opens a connection, asks, and reads nothing of the answer. */
async function deafClient(url: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.on("error", () => {});
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\n\r\n`);
  return socket;
}

/** Sends bytes as they are and returns all that comes back. */
function talk(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}

describe("toNodeHandler", () => {
  it("hands over method, URL, headers and body, and brings the answer back", async () => {
    const handler = async (request: Request) => {
      const headers = new Headers({ "x-seen": `${request.method} ${new URL(request.url).pathname}` });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response(`${request.headers.get("x-sent")}: ${await request.text()}`, { status: 201, headers });
    };
    await served(handler, async (url) => {
      const response = await fetch(`${url}/a%20b?c=d`, { method: "POST", body: "hello", headers: { "x-sent": "é" } });
      expect(response.status).toBe(201);
      expect(response.headers.get("x-seen")).toBe("POST /a%20b");
      expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
      expect(await response.text()).toBe("é: hello");
    });
  });

  it("answers 500 without details when the handler fails, tells who is to know, and goes on", async () => {
    const errors: unknown[] = [];
    const handler = async (request: Request) => {
      if (request.url.endsWith("/fails")) throw new Error("secret detail");
      return new Response("fine");
    };
    const server = createServer(toNodeHandler(handler, { onError: (error) => errors.push(error) }));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const failed = await fetch(`${url}/fails`);
    expect([failed.status, await failed.text()]).toEqual([500, ""]);
    expect(errors).toEqual([new Error("secret detail")]);
    expect(await (await fetch(url)).text()).toBe("fine");
    server.closeAllConnections();
    server.close();
  });

  it("cuts the answer off when its body breaks, so that it can't be taken for whole", async () => {
    let broken = false;
    const body = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (broken) controller.error(new Error("broke off"));
          else controller.enqueue(new TextEncoder().encode("half"));
          broken = true;
        },
      });
    await served(
      async () => new Response(body()),
      async (url) => {
        await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
      },
    );
  });

  it.each([
    ["/", "["],
    ["/runs/mine/events", "x/runs/other/events?"],
    ["/runs/mine/events", "x\\runs\\other\\events?"],
    ["/runs/mine/events", "x#"],
    ["/", "a:b@c"],
    ["/runs/mine\\..\\other/events", "localhost"],
    ["/runs/mine/../other/events", "localhost"],
    ["/runs/mine/%2E./other/events", "localhost"],
    ["/runs/mine/..?", "localhost"],
    ["/runs/mine#/other", "localhost"],
    ["http://elsewhere/runs/mine/events", "localhost"],
  ])("answers 400 to the path %s at the host %s, which a router may read otherwise", async (path, host) => {
    await served(
      async (request) => new Response(new URL(request.url).pathname),
      async (url) => {
        const answer = await talk(url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        expect(answer).toMatch(/^HTTP\/1.1 400 /);
      },
    );
  });

  it("does not take the path for a host, and leaves dots alone that are no segment", async () => {
    await served(
      async (request) => new Response(new URL(request.url).pathname),
      async (url) => {
        expect(await (await fetch(`${url}/runs/..a/b.?c=../d`)).text()).toBe("/runs/..a/b.");
        const odd = await talk(url, "GET //evil/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        expect(odd).toContain("//evil/x");
      },
    );
  });

  it("does nothing for a client that went while others worked on its request", async () => {
    let asked = 0;
    const serve = toNodeHandler(async () => {
      asked++;
      return new Response("too late");
    });
    const client = new AbortController();
    const gone = Promise.withResolvers<void>();
    const server = createServer((req, res) => {
      res.once("close", () => {
        serve(req, res);
        gone.resolve();
      });
      client.abort();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await expect(fetch(`http://127.0.0.1:${port}`, { signal: client.signal })).rejects.toThrow();
    await gone.promise;
    server.close();
    expect(asked).toBe(0);
  });

  it("aborts the request's signal and cancels the body when the client goes", async () => {
    let aborted = false;
    let cancelled = false;
    const handler = async (request: Request) => {
      request.signal.addEventListener("abort", () => {
        aborted = true;
      });
      const cancel = () => {
        cancelled = true;
      };
      return new Response(new ReadableStream<Uint8Array>({ cancel }));
    };
    await served(handler, async (url) => {
      const client = new AbortController();
      const response = await fetch(url, { signal: client.signal });
      expect(response.status).toBe(200);
      client.abort();
      await until("the handler hears of it", () => aborted && cancelled);
    });
  });
});

describe("run streams over node:http", () => {
  it("reach a hundred subscribers of different runs at once", async () => {
    const runs = new TestRuns();
    const handler = createRunStreamHandler({ source: runs.source, clock: systemClock, logger: silentLogger });
    const names = upTo(100).map((index) => `run-${index}`);
    for (const name of names) await runs.append(name, 10);
    await served(handler, async (url) => {
      const responses = await Promise.all(names.map((name) => fetch(`${url}/runs/${name}/events`)));
      expect(runs.following).toBe(100);
      for (const name of names) await runs.append(name, 90);
      for (const name of names) await runs.end(name);
      const received = await Promise.all(
        responses.map(async (response) => new SseParser().push(await response.bytes())),
      );
      for (const [index, messages] of received.entries()) {
        expect(messages.map((message) => Number(message.id))).toEqual(upTo(101));
        expect(new Set(messages.map((message) => JSON.parse(message.data).run_id))).toEqual(new Set([names[index]]));
      }
      await until("nobody follows any more", () => runs.following === 0);
    });
  });

  it("hold a bounded amount for a client that does not read, cut it off, and delay no other", async () => {
    const clock = new VirtualClock();
    const runs = new TestRuns();
    const handler = createRunStreamHandler({
      source: runs.source,
      clock,
      logger: silentLogger,
      maxBufferedBytes: 100_000,
    });
    await runs.append("r1", 1_000, () => "x".repeat(50_000));
    await served(handler, async (url, server) => {
      let isOpen = true;
      server.once("connection", (socket) =>
        socket.once("close", () => {
          isOpen = false;
        }),
      );
      const deaf = await deafClient(url, "/r1");
      await until("it is served", () => runs.taken > 0);
      await runs.append("r2", 10);
      await runs.end("r2");
      expect(new SseParser().push(await (await fetch(`${url}/r2`)).bytes())).toHaveLength(11);
      await until("it is cut off", async () => {
        await clock.advance(15_000);
        return !isOpen;
      });
      // What the kernel's buffers of both ends hold comes on top of what the handler does.
      expect(runs.taken).toBeLessThan(500);
      expect(runs.following).toBe(0);
      deaf.destroy();
    });
  });

  it("are followed no longer when the client goes", async () => {
    const runs = new TestRuns();
    const handler = createRunStreamHandler({ source: runs.source, clock: systemClock, logger: silentLogger });
    await runs.append("r1", 1);
    await served(handler, async (url) => {
      const clients = await Promise.all(upTo(20).map(() => deafClient(url, "/r1")));
      await until("all are there", () => runs.following === 20);
      for (const client of clients) client.destroy();
      await until("none is left", () => runs.following === 0);
    });
  });
});
