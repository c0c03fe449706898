import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";

// Below the ports that the system gives to outgoing connections: while a server is down, such a connection could get the
// server's port, or a client that tries to reach it could even connect to itself, and the server could not come back there.
const FIRST = 18_000;
const LAST = 31_999;
const TRIES = 50;

/** Listens on a free port of loopback. @returns the port. */
export async function listenOn(server: Server): Promise<number> {
  const { port, hold } = await takePort((port) => listen(server, port));
  server.once("close", () => hold.close());
  return port;
}

/** A port of loopback that nothing listens on, and that is given to nobody else while this process lives. */
export async function freePort(): Promise<number> {
  const { port } = await takePort(async (port) => {
    const server = createServer();
    await listen(server, port);
    server.close();
    await once(server, "close");
  });
  return port;
}

/** Holds the port by the UDP port of the same number, which nothing needs here: what listens on the port itself may be down. */
async function takePort(
  take: (port: number) => Promise<void>,
): Promise<{ readonly port: number; readonly hold: Socket }> {
  for (let tries = 1; ; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    const hold = createSocket("udp4").unref();
    try {
      hold.bind({ address: "127.0.0.1", port, exclusive: true });
      await once(hold, "listening");
      await take(port);
      return { port, hold };
    } catch (error) {
      hold.close();
      if (tries === TRIES) throw error;
    }
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen({ host: "127.0.0.1", port, exclusive: true });
  await once(server, "listening");
}
