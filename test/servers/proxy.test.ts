import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listenOn } from "./ports.ts";
import { startProxy, type Proxy as TcpProxy } from "./proxy.ts";

/** Answers each line with the same line, and keeps what it got. */
class Echo {
  readonly #server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.got += chunk.toString();
      socket.write(chunk);
    });
  });
  readonly sockets: Socket[] = [];
  got = "";

  listen = () => listenOn(this.#server);

  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

class Client {
  readonly socket: Socket;
  got = "";
  state = "open";

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("data", (chunk: Buffer) => {
      this.got += chunk.toString();
    });
    this.socket.on("error", ({ message }) => {
      this.state = message;
    });
    this.socket.on("close", () => {
      if (this.state === "open") this.state = "closed";
    });
  }

  async ask(line: string): Promise<void> {
    this.socket.write(line);
    await expect.poll(() => this.got).toContain(line);
  }

  untilBroken = () => expect.poll(() => this.state).toContain("ECONNRESET");
}

let echo: Echo;
let proxy: TcpProxy;
let clients: Client[];

function open(): Client {
  const client = new Client(proxy.port);
  clients.push(client);
  return client;
}

beforeEach(async () => {
  echo = new Echo();
  proxy = await startProxy(await echo.listen());
  clients = [];
});
afterEach(async () => {
  await proxy.close();
  echo.close();
  for (const { socket } of clients) socket.destroy();
});

describe("a connection through the proxy", () => {
  it("carries what is sent, both ways, however much", async () => {
    const client = open();
    const much = Buffer.alloc(20 * 1024 * 1024, "x");
    client.socket.end(much);
    await expect.poll(() => client.got.length, { timeout: 10_000 }).toBe(much.length);
    await expect.poll(() => client.state).toBe("closed");
    await expect.poll(() => proxy.connections).toBe(0);
  });

  it("breaks when it is cut, and no other comes about until it is mended", async () => {
    const client = open();
    await client.ask("1");
    proxy.cut();
    await client.untilBroken();
    await open().untilBroken();
    await expect.poll(() => echo.sockets.every((socket) => socket.destroyed)).toBe(true);
    proxy.mend();
    await open().ask("2");
    expect(echo.got).toBe("12");
  });

  it("breaks alone, and can be made again at once", async () => {
    const client = open();
    await client.ask("1");
    proxy.breakConnections();
    await open().ask("2");
    await client.untilBroken();
  });

  it("breaks when the server's end does", async () => {
    const client = open();
    await client.ask("1");
    echo.sockets[0]?.resetAndDestroy();
    await client.untilBroken();
    expect(proxy.connections).toBe(0);
  });

  it("passes nothing in a black hole, new ones neither, and everything afterwards", async () => {
    const client = open();
    await client.ask("1");
    proxy.blackHole();
    client.socket.write("2");
    const late = open();
    late.socket.write("3");
    await sleep(50);
    expect([echo.got, client.got, late.got]).toEqual(["1", "1", ""]);
    proxy.mend();
    await expect.poll(() => [client.got, late.got]).toEqual(["12", "3"]);
  });

  it("passes one direction when the other is a black hole", async () => {
    const client = open();
    await client.ask("1");
    proxy.blackHole("down");
    client.socket.write("2");
    await expect.poll(() => echo.got).toBe("12");
    await sleep(20);
    expect(client.got).toBe("1");
    proxy.mend();
    await expect.poll(() => client.got).toBe("12");
    proxy.blackHole("up");
    client.socket.write("3");
    await sleep(20);
    expect(echo.got).toBe("12");
  });

  it("is slow, in order, when it is delayed", async () => {
    const client = open();
    await client.ask("1");
    proxy.delay(100);
    const started = performance.now();
    client.socket.write("2");
    await sleep(10);
    client.socket.write("3");
    await expect.poll(() => client.got).toBe("123");
    expect(performance.now() - started).toBeGreaterThanOrEqual(200);
    proxy.delay(0);
    await client.ask("4");
  });
});

describe("losing answers", () => {
  it("lets the request through, keeps the answer, and breaks that connection", async () => {
    const [client, other] = [open(), open()];
    await Promise.all([client.ask("1"), other.ask("a")]);
    proxy.loseAnswers(1);
    client.socket.write("2");
    await expect.poll(() => echo.got).toContain("2");
    await client.untilBroken();
    expect(client.got).toBe("1");
    await other.ask("b");
    await open().ask("3");
  });

  it("counts the requests that are told apart, however they come", async () => {
    const client = open();
    proxy.loseAnswers(2, (chunk) => chunk.includes("!"));
    await client.ask("1");
    client.socket.write("2!");
    await client.untilBroken();
    const next = open();
    await next.ask("3");
    next.socket.write("4!");
    await next.untilBroken();
    expect(echo.got).toBe("12!34!");
    expect([client.got, next.got]).toEqual(["1", "3"]);
    await open().ask("5!");
  });
});
