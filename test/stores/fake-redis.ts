import { createServer } from "node:net";
import { listenOn } from "../servers/ports.ts";

/** Speaks as much of the protocol as it takes to say what version it is. */
export async function fakeRedis(version: string): Promise<{ readonly port: number; close(): void }> {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (const command of chunk.toString("latin1").split(/(?=\*\d+\r\n)/)) {
        if (/\r\nhello\r\n/i.test(command)) socket.write("%1\r\n+proto\r\n:3\r\n");
        else if (/\r\ninfo\r\n/i.test(command)) socket.write(bulk(`# Server\r\nredis_version:${version}\r\n`));
        else socket.write("+OK\r\n");
      }
    });
  });
  const port = await listenOn(server);
  return { port, close: () => server.close() };
}
