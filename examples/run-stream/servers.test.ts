import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import {
  createApp,
  defineTask,
  memory,
  type RunStreamHandlerOptions,
  silentLogger,
  type TaskContext,
  toNodeHandler,
} from "@intermodal/core";
import { followRun, type RunEvent } from "@intermodal/core/client";
import express from "express";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { serveWithExpress } from "./express.ts";
import { serveWithFastify } from "./fastify.ts";
import { serveWithHono } from "./hono.ts";
import { serveWithNode } from "./node-http.ts";

const SERVERS = {
  "node:http": serveWithNode,
  Express: serveWithExpress,
  Fastify: serveWithFastify,
  Hono: serveWithHono,
};
const talk = defineTask("talk", { input: z.object({}) });
const patiently = <T>(condition: () => T | Promise<T>) => vi.waitFor(condition, { timeout: 10_000, interval: 10 });
const noGap = (gap: object) => expect.fail(`there is a gap: ${JSON.stringify(gap)}`);
const upTo = (count: number, from = 1) => Array.from({ length: count - from + 1 }, (_, index) => from + index);

/** A run that says what it is told to, and one of the servers in front of it. */
async function talking(
  serve: (typeof SERVERS)["node:http"],
  options: Pick<RunStreamHandlerOptions, "authorize" | "heartbeatMs" | "maxBufferedBytes"> = {},
  maxStreamEvents = 10_000,
) {
  const app = createApp({
    name: "talk",
    url: "memory:",
    adapters: [memory({ limits: { maxStreamEvents } })],
    logger: silentLogger,
  });
  const began = Promise.withResolvers<TaskContext>();
  const over = Promise.withResolvers<void>();
  app.handle(talk, async (_, ctx) => {
    began.resolve(ctx);
    await over.promise;
  });
  await app.start();
  const server = await serve(app.runStreamHandler(options), 0);
  onTestFinished(async () => {
    over.resolve();
    server.closeAllConnections();
    server.close();
    await app.stop();
  });
  const task = await app.submit(talk, {});
  const ctx = await began.promise;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/runs/${task.id}/events`;
  const page = async (query = "") => {
    const response = await fetch(`${url}${query}`, { headers: { accept: "application/json" } });
    return { status: response.status, ...((await response.json()) as HistoryPage) };
  };
  // It has been said that the run began.
  let last = 1;
  return {
    server,
    url,
    page,
    /** Resolves when the stream has it. */
    async say(count: number, text = "") {
      for (const word of upTo(count)) ctx.emit("word", { word, text });
      last += count;
      await patiently(async () => expect((await page("?limit=1")).last).toBe(last));
    },
    async end() {
      over.resolve();
      await task.result();
      await patiently(async () => expect((await page("?limit=1")).ended).toBe(true));
    },
  };
}

interface HistoryPage {
  readonly events: readonly { readonly sequence: number; readonly event: string }[];
  readonly next: string;
  readonly last: number;
  readonly ended: boolean;
  readonly gap?: { readonly from: number; readonly to: number };
}

/** Opens a connection, asks for the stream, and reads nothing until it is told to. */
async function deafClient(url: string): Promise<Socket> {
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  return socket;
}

const idsIn = (text: string) => [...text.matchAll(/^id: (\d+)\r?\n(?:event|data)/gm)].map((match) => Number(match[1]));

describe.each(Object.entries(SERVERS))("a run's events with %s", (_, serve) => {
  it("come from history to live, and 204 when all is told", async () => {
    const { url, say, end } = await talking(serve);
    await say(3);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    await say(2);
    await end();
    expect(idsIn(await response.text())).toEqual(upTo(7));
    const over = await fetch(url, { headers: { "last-event-id": "7" } });
    expect([over.status, await over.text()]).toEqual([204, ""]);
  });

  it("go on behind the last one after every cut, and ask for leave each time", async () => {
    const tokens: (string | null)[] = [];
    const authorize = (request: Request) => {
      if (request.headers.get("accept") === "text/event-stream") tokens.push(request.headers.get("authorization"));
      return true;
    };
    const { server, url, say, end } = await talking(serve, { authorize });
    await say(20);
    let asked = 0;
    const seen: number[] = [];
    const headers = () => ({ authorization: `token ${++asked}` });
    for await (const event of followRun(url, { headers, retry: { initialMs: 1 }, onGap: noGap })) {
      seen.push(event.sequence);
      if (event.sequence % 20 === 0 && event.sequence < 100) {
        server.closeAllConnections();
        await say(20);
      }
      if (event.sequence === 101) await end();
    }
    expect(seen).toEqual(upTo(102));
    expect(tokens.length).toBeGreaterThan(4);
    expect(tokens).toEqual(tokens.map((_, index) => `token ${index + 1}`));
  });

  it("end for a client whose leave is withdrawn, when it comes back", async () => {
    let allowed = true;
    const { server, url, say } = await talking(serve, { authorize: () => allowed });
    await say(5);
    const seen: RunEvent[] = [];
    const following = (async () => {
      for await (const event of followRun(url, { retry: { initialMs: 1 }, onGap: noGap })) {
        seen.push(event);
        if (seen.length < 6) continue;
        allowed = false;
        server.closeAllConnections();
      }
    })();
    await expect(following).rejects.toMatchObject({ name: "RunStreamError", code: "FORBIDDEN", status: 403 });
    expect(seen).toHaveLength(6);
  });

  it("have a heartbeat while nothing happens", async () => {
    const { url, end } = await talking(serve, { heartbeatMs: 20 });
    const reader = ((await fetch(url)).body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    while ((text.match(/^: heartbeat$/gm)?.length ?? 0) < 3) text += (await reader.read()).value;
    expect(idsIn(text)).toEqual([1]);
    await reader.cancel();
    await end();
  });

  it("wait in a bounded buffer for a client that does not read; it is cut off, and resumes", async () => {
    const maxBufferedBytes = 100_000;
    // Hono's server tells of it there.
    const toldOf = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => toldOf.mockRestore());
    const { server, url, say, end } = await talking(serve, { heartbeatMs: 100, maxBufferedBytes });
    // Comes to more than what the kernel holds for both ends of a connection.
    for (let portion = 0; portion < 8; portion++) await say(50, "x".repeat(50_000));
    await end();
    const sockets: Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    const deaf = await deafClient(url);
    const socket = await patiently(() => {
      const its = sockets.find(({ remotePort }) => remotePort === deaf.localPort);
      expect(its).toBeDefined();
      return its as Socket;
    });
    let most = 0;
    await patiently(() => {
      most = Math.max(most, socket.writableLength);
      expect(socket.destroyed).toBe(true);
    });
    expect(most).toBeLessThan(2 * maxBufferedBytes);
    let received = "";
    deaf.on("data", (chunk: Buffer) => {
      received += chunk.toString();
    });
    deaf.resume();
    await once(deaf, "close");
    const seen = idsIn(received.slice(0, received.lastIndexOf("\n\n")));
    expect(seen).toEqual(upTo(seen.length));
    expect(seen.length).toBeLessThan(402);
    const rest: number[] = [];
    for await (const { sequence } of followRun(url, { lastEventId: String(seen.length), onGap: noGap }))
      rest.push(sequence);
    expect([...seen, ...rest]).toEqual(upTo(402));
  });

  it("say what the cap took", async () => {
    const { url, page, say, end } = await talking(serve, {}, 10);
    await say(60);
    await end();
    const text = await (await fetch(url)).text();
    const [gap, ...rest] = idsIn(text);
    expect(text).toContain(`id: ${gap}\nevent: gap\ndata: {"from":1,"to":${gap}}\n\n`);
    expect(rest).toEqual(upTo(62, Number(gap) + 1));
    expect(await page("?after=3")).toMatchObject({ gap: { from: 4, to: gap }, next: "62", last: 62, ended: true });
  });

  it("can be read in pages", async () => {
    const { page, say, end } = await talking(serve);
    await say(23);
    await end();
    const seen: number[] = [];
    let after = "0";
    for (const size of [10, 10, 5, 0]) {
      const { status, events, next, last, ended } = await page(`?after=${after}&limit=10`);
      expect([status, events.length, last, ended]).toEqual([200, size, 25, true]);
      seen.push(...events.map(({ sequence }) => sequence));
      after = next;
    }
    expect(seen).toEqual(upTo(25));
  });

  it("are followed no longer when the client goes", async () => {
    let gone = 0;
    const authorize = ({ signal }: Request) => {
      signal.addEventListener("abort", () => gone++);
      return true;
    };
    const { url } = await talking(serve, { authorize });
    const clients = await Promise.all(upTo(5).map(() => deafClient(url)));
    for (const client of clients) await once(client.resume(), "data");
    expect(gone).toBe(0);
    for (const client of clients) client.destroy();
    await patiently(() => expect(gone).toBe(5));
  });

  it("are refused to what is no event id and no run, whatever it is", async () => {
    const { url, say } = await talking(serve);
    await say(2);
    const statusOf = async (address: string, id?: string) => {
      const response = await fetch(address, { headers: id === undefined ? {} : { "last-event-id": id } });
      await response.body?.cancel();
      return response.status;
    };
    for (const id of ["seven", "-1", "1e3", "4", "9".repeat(4_000), "1, 2"])
      expect(await statusOf(url, id), id).toBe(400);
    for (const id of ["%00", "1%0A", "%D9%A3"]) expect(await statusOf(`${url}?lastEventId=${id}`), id).toBe(400);
    const { origin } = new URL(url);
    for (const run of ["unknown", "%00", "%2e%2e%2f", "a%0Ab", "%7B%24gt%7D"]) {
      expect(await statusOf(`${origin}/runs/${run}/events`), run).toBe(404);
    }
    expect([400, 404]).toContain(await statusOf(`${origin}/runs/%/events`));
    expect(await statusOf(url)).toBe(200);
  });
});

it("a router of Express serves a run's events below the path that it is mounted at", async () => {
  const serve = async (runEvents: (request: Request) => Promise<Response>, port: number) => {
    const router = express.Router().get("/:id/events", toNodeHandler(runEvents));
    const server = createServer(express().use("/runs", router)).listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const { url, end } = await talking(serve);
  await end();
  expect(idsIn(await (await fetch(url)).text())).toEqual([1, 2]);
});
