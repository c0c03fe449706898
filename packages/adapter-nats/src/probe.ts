import { readFile } from "node:fs/promises";
import { createConnection, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "@intermodal/core/ports";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { notNats, tlsFailure } from "./errors.ts";

const ANSWER_MS = 2_000;
/** How long a server takes to refuse a certificate once the handshake is over. */
const REFUSAL_MS = 1_000;

/**
 * Finds out why a client waited in vain. NATS servers speak first, so a client can't tell one that is slow from a server of another kind, which waits to be
 * spoken to; and it keeps to itself that a server refused its certificate.
 * @throws `CONFIG_INVALID` when every server is of another kind, or one refuses TLS.
 */
export async function identify(
  servers: readonly string[],
  tls: NodeConnectionOptions["tls"],
  clock: Clock,
): Promise<void> {
  const strangers: string[] = [];
  for (const server of servers) {
    const { socket, said } = await ask(server, clock);
    try {
      if (/"tls_required":\s*true/.test(said)) await shakeHands(server, socket, tls ?? {}, clock);
    } finally {
      socket.destroy();
    }
    const kind = kindOf(said);
    if (kind === undefined) return;
    strangers.push(kind);
  }
  throw notNats(servers.join(", "), strangers.join(", "));
}

/** What a server says first, or to a line of NATS; nothing when it says nothing in time. */
function ask(server: string, clock: Clock): Promise<{ readonly socket: Socket; readonly said: string }> {
  const socket = createConnection({ host: hostnameOf(server), port: Number(new URL(`ws://${server}`).port || 80) });
  return new Promise((resolve) => {
    const done = (said: string) => {
      giveUp();
      speak();
      socket.removeAllListeners();
      socket.on("error", () => {});
      resolve({ socket, said });
    };
    const giveUp = clock.schedule(ANSWER_MS, () => done(""));
    // Not at once: a NATS server with TLS takes the next bytes for its beginning.
    const speak = clock.schedule(ANSWER_MS / 4, () => socket.write("PING\r\n\r\n\r\n"));
    socket.unref();
    socket.on("data", (bytes) => done(bytes.toString("latin1")));
    socket.on("error", () => done(""));
    socket.on("close", () => done(""));
  });
}

/** @throws `CONFIG_INVALID` when either side refuses the other's certificate. */
async function shakeHands(
  server: string,
  socket: Socket,
  tls: NonNullable<NodeConnectionOptions["tls"]>,
  clock: Clock,
): Promise<void> {
  const { ca, caFile, cert, certFile, key, keyFile, ...rest } = tls;
  const of = async (text: string | undefined, file: string | undefined) =>
    text ?? (file && (await readFile(file, "utf8")));
  const [useCa, useCert, useKey] = [await of(ca, caFile), await of(cert, certFile), await of(key, keyFile)];
  const hostname = hostnameOf(server);
  const refusal = await new Promise<unknown>((resolve) => {
    const secure = connectTls({
      ...rest,
      socket,
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ...(useCa && { ca: useCa }),
      ...(useCert && { cert: useCert }),
      ...(useKey && { key: useKey }),
    });
    secure.on("error", resolve);
    clock.schedule(REFUSAL_MS, () => resolve(undefined));
  });
  const failure = refusal === undefined ? undefined : tlsFailure(`the NATS server at ${server}`, refusal);
  if (failure !== undefined) throw failure;
}

function hostnameOf(server: string): string {
  return new URL(`ws://${server}`).hostname.replace(/^\[|\]$/g, "");
}

/** Undefined for a NATS server, and for one that says nothing. */
function kindOf(said: string): string | undefined {
  if (said === "" || said.startsWith("INFO ")) return undefined;
  if (said.startsWith("AMQP")) return "AMQP";
  if (said.startsWith("HTTP/")) return "HTTP";
  return /^[+-]/.test(said) ? "the protocol of Redis" : "another protocol";
}
