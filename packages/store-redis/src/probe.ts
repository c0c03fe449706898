import { createConnection, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { IntermodalError } from "@intermodal/core/ports";
import type { Seed } from "./url.ts";

const ANSWER_MS = 1_000;

/**
 * Finds out why a client waited in vain: a server without TLS is silent to somebody who begins with it, and one with TLS hangs up on somebody who doesn't.
 * @throws `CONFIG_INVALID` when that is it.
 */
export async function identify({ host, port }: Seed, usesTls: boolean): Promise<void> {
  const where = `${host}:${port}`;
  if (usesTls && (await answersPlainly(host, port)))
    throw new IntermodalError("CONFIG_INVALID", `${where} has no TLS: use "redis:", or enable it there`);
  if (!usesTls && (await answersTls(host, port)))
    throw new IntermodalError("CONFIG_INVALID", `${where} expects TLS: use "rediss:"`);
}

function answersPlainly(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: ANSWER_MS });
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.unref();
    socket.on("connect", () => socket.write("PING\r\n"));
    socket.on("data", (bytes) => done(/^[+-]/.test(bytes.toString("latin1"))));
    for (const event of ["error", "close", "timeout"]) socket.on(event, () => done(false));
  });
}

function answersTls(host: string, port: number): Promise<boolean> {
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
