import { createServer, type Socket } from "node:net";
import { listenOn } from "../servers/ports.ts";

/** Answers a command in the protocol's own form, or leaves it to be answered as usual. It may also end the connection. */
type Answer = (command: readonly string[], socket: Socket) => string | undefined;

export const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

/** Speaks as much of the protocol as it takes to say what version it is, and what a test wants beside. */
export async function fakeRedis(
  version: string,
  answer: Answer = () => undefined,
): Promise<{ readonly port: number; close(): void }> {
  const usual = (name: string | undefined) => {
    if (name === "hello") return "%1\r\n+proto\r\n:3\r\n";
    return name === "info" ? bulk(`# Server\r\nredis_version:${version}\r\n`) : "+OK\r\n";
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (const text of chunk.toString("latin1").split(/(?=\*\d+\r\n)/)) {
        const command = [...text.matchAll(/\$\d+\r\n(.*)\r\n/g)].map(([, part = ""]) => part);
        const reply = answer(command, socket) ?? usual(command[0]?.toLowerCase());
        if (!socket.destroyed) socket.write(reply);
      }
    });
  });
  const port = await listenOn(server);
  return { port, close: () => server.close() };
}
