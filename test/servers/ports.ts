import { once } from "node:events";
import { createServer, type Server } from "node:net";

// Below the ports that the system gives to outgoing connections: while a server is down, such a connection could get the
// server's port, or a client that tries to reach it could even connect to itself, and the server could not come back there.
const FIRST = 18_000;
const LAST = 31_999;

/** Listens on a free port of loopback. @returns the port. */
export async function listenOn(server: Server): Promise<number> {
  for (let tries = 0; ; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    server.listen({ host: "127.0.0.1", port, exclusive: true });
    try {
      await once(server, "listening");
      return port;
    } catch (error) {
      if (tries === 50) throw error;
    }
  }
}

/** A port of loopback that nothing listens on. Another process may still be quicker to take it. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server);
  server.close();
  await once(server, "close");
  return port;
}
