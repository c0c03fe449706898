import { createConnection } from "node:net";
import { notNats } from "./errors.ts";

/**
 * Finds out whether something answers at these addresses that is no NATS server: those speak first, so a client that waits for them in vain can't
 * tell one that is slow from a server of another kind, which waits to be spoken to.
 * @throws `CONFIG_INVALID` when all that answer are of another kind.
 */
export async function identify(servers: readonly string[], timeoutMs: number): Promise<void> {
  for (const server of servers) {
    const answer = await ask(server, timeoutMs);
    const kind = answer === undefined ? undefined : kindOf(answer);
    if (kind === undefined) return;
    if (server === servers.at(-1)) throw notNats(server, kind);
  }
}

/** What a server says first, or to a line of NATS; undefined when it says nothing in time. */
function ask(server: string, timeoutMs: number): Promise<Buffer | undefined> {
  const { hostname, port } = new URL(`ws://${server}`);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) });
    const done = (answer: Buffer | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(Math.min(timeoutMs, 2_000), () => done(undefined));
    socket.unref();
    socket.on("connect", () => socket.write("PING\r\n\r\n\r\n"));
    socket.on("data", done);
    socket.on("error", () => done(undefined));
    socket.on("close", () => done(undefined));
  });
}

/** Undefined for a NATS server. */
function kindOf(answer: Buffer): string | undefined {
  const text = answer.toString("latin1");
  if (text.startsWith("INFO ")) return undefined;
  if (text.startsWith("AMQP")) return "AMQP";
  if (text.startsWith("HTTP/")) return "HTTP";
  if (/^[+-]/.test(text)) return "the protocol of Redis";
  return "another protocol";
}
