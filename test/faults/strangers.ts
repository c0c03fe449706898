import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { listenOn } from "../servers/ports.ts";

/** Something on a port of loopback that is no broker. */
export interface Stranger {
  readonly port: number;
  close(): Promise<void>;
}

export function httpServer(): Promise<Stranger> {
  return listen(createHttpServer((_request, response) => response.writeHead(404).end()));
}

/** Takes connections and what is sent to it, and says nothing. */
export function silentServer(): Promise<Stranger> {
  return listen(createServer((socket) => socket.on("error", () => {}).resume()));
}

async function listen(server: Server): Promise<Stranger> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  return {
    port: await listenOn(server),
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
