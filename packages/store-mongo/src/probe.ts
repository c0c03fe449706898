import { createConnection } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "@intermodal/core/ports";
import { noTls, notMongo, wantsTls } from "./errors.ts";

const ANSWER_MS = 2_000;
const HEADER_BYTES = 16;
/** Messages may be that long. */
const LONGEST_MESSAGE = 48_000_000;
const OP_MSG = 2013;
const PING = Buffer.from("PING\r\n\r\n\r\n");
const MONGODB = "MongoDB's protocol";

/** What a server answers to a greeting in clear: in which protocol; or that it hangs up; or nothing in time. */
type Answer = string | "hangs up" | undefined;

/**
 * Finds out why a client waited in vain: it can't tell a server that is slow from one of another kind.
 * @param servers `host:port` each.
 * @param tls Whether the client speaks TLS.
 * @throws `CONFIG_INVALID` when every server is of another kind, or one wants TLS, or has none.
 */
export async function identify(servers: readonly string[], tls: boolean, clock: Clock): Promise<void> {
  const answers = await Promise.all(servers.map((server) => meet(server, clock)));
  for (const [at, server] of servers.entries()) {
    if (tls && answers[at] === MONGODB) throw noTls(server);
    if (!tls && answers[at] === "hangs up" && (await shakesHands(server, clock))) throw wantsTls(server);
  }
  const isKnown = (answer: Answer) => answer !== undefined && answer !== "hangs up" && answer !== MONGODB;
  if (tls || servers.length === 0 || !answers.every(isKnown)) return;
  throw notMongo(servers.join(", "), [...new Set(answers)].join(", "));
}

function addressOf(server: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`ws://${server}`);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) };
}

/** Servers of another kind may wait for the end of a line, or hang up on what they can't read: they are greeted in text too. */
async function meet(server: string, clock: Clock): Promise<Answer> {
  const [answer, inText] = await Promise.all([greet(server, hello(), clock), greet(server, PING, clock)]);
  return answer === undefined || answer === "hangs up" ? (inText ?? answer) : answer;
}

function greet(server: string, greeting: Buffer, clock: Clock): Promise<Answer> {
  const socket = createConnection(addressOf(server));
  return new Promise((resolve) => {
    const done = (answer: Answer) => {
      giveUp();
      socket.destroy();
      resolve(answer);
    };
    const giveUp = clock.schedule(ANSWER_MS, () => done(undefined));
    let isConnected = false;
    socket.unref();
    socket.on("connect", () => {
      isConnected = true;
      socket.write(greeting);
    });
    socket.on("data", (said) => done(protocolOf(said)));
    socket.on("error", () => done(isConnected ? "hangs up" : undefined));
    socket.on("close", () => done(isConnected ? "hangs up" : undefined));
  });
}

function shakesHands(server: string, clock: Clock): Promise<boolean> {
  // Nothing but the handshake takes place: whose certificate it is does not matter.
  const socket = connectTls({ ...addressOf(server), rejectUnauthorized: false });
  return new Promise((resolve) => {
    const done = (isDone: boolean) => {
      giveUp();
      socket.destroy();
      resolve(isDone);
    };
    const giveUp = clock.schedule(ANSWER_MS, () => done(false));
    socket.unref();
    socket.on("secureConnect", () => done(true));
    // Who asks for a certificate speaks TLS too.
    socket.on("error", ({ code }: NodeJS.ErrnoException) => done(/ERR_SSL.*(CERTIFICATE|HANDSHAKE)/.test(code ?? "")));
    socket.on("close", () => done(false));
  });
}

/** `{ hello: 1, $db: "admin" }` as a message of MongoDB's protocol: a header, flags, and one document in BSON. */
function hello(): Buffer {
  const document = "\x22\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
  const message = Buffer.from(`${"\0".repeat(HEADER_BYTES)}\0\0\0\0\0${document}`, "latin1");
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(OP_MSG, 12);
  message.writeInt32LE(document.length, HEADER_BYTES + 5);
  return message;
}

function protocolOf(said: Buffer): string {
  const length = said.length < HEADER_BYTES ? 0 : said.readInt32LE(0);
  if (length >= HEADER_BYTES && length <= LONGEST_MESSAGE && said.readInt32LE(12) === OP_MSG) return MONGODB;
  const text = said.toString("latin1");
  if (text.startsWith("HTTP/")) return "HTTP";
  if (text.startsWith("AMQP")) return "AMQP";
  if (text.startsWith("INFO ")) return "the protocol of NATS";
  return /^[+-]/.test(text) ? "the protocol of Redis" : "another protocol";
}
