import { createConnection, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { IntermodalError } from "@intermodal/core/ports";
import { notRedis } from "./errors.ts";
import type { Seed } from "./url.ts";

const ANSWER_MS = 1_000;

/** An empty line after it makes it as long as the greeting that brokers wait for; Redis takes no notice of that. */
const GREETING = "PING\r\n\r\n";

/**
 * Finds out why a client waited in vain. A server without TLS is silent to somebody who begins with it, one with TLS hangs up on somebody who doesn't, and
 * servers of other kinds do either.
 * @throws `CONFIG_INVALID` when that is it.
 */
export async function identify(seed: Seed, usesTls: boolean): Promise<void> {
  const where = `${seed.host}:${seed.port}`;
  const said = await askPlainly(seed);
  const isRedis = /^[+-]/.test(said);
  if (isRedis && usesTls)
    throw new IntermodalError("CONFIG_INVALID", `${where} has no TLS: use "redis:", or enable it there`);
  if (!isRedis && !usesTls && (said === "" || said.startsWith(TLS_ALERT)) && (await answersTls(seed)))
    throw new IntermodalError("CONFIG_INVALID", `${where} expects TLS: use "rediss:"`);
  const kind = kindOf(said);
  if (kind !== undefined) throw notRedis(where, kind);
}

const TLS_ALERT = "\x15";

/** Undefined for a Redis server, and for one that says nothing. */
function kindOf(said: string): string | undefined {
  if (said === "" || /^[+-]/.test(said) || said.startsWith(TLS_ALERT)) return undefined;
  if (said.startsWith("AMQP")) return "AMQP";
  if (said.startsWith("HTTP/")) return "HTTP";
  return said.startsWith("INFO ") ? "the protocol of NATS" : "another protocol";
}

/** What a server says first; nothing when it says nothing in time. */
function askPlainly({ host, port }: Seed): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: ANSWER_MS });
    const done = (said: string) => {
      socket.destroy();
      resolve(said);
    };
    socket.unref();
    socket.on("connect", () => socket.write(GREETING));
    socket.on("data", (bytes) => done(bytes.toString("latin1")));
    for (const event of ["error", "close", "timeout"]) socket.on(event, () => done(""));
  });
}

function answersTls({ host, port }: Seed): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing is sent over it: whom the certificate names does not matter here.
    const socket = connectTls({
      host,
      port,
      timeout: ANSWER_MS,
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
    });
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.unref();
    socket.on("secureConnect", () => done(true));
    for (const event of ["error", "close", "timeout"]) socket.on(event, () => done(false));
  });
}
