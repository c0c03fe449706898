import { createConnection } from "node:net";
import type { Clock } from "@intermodal/core/ports";
import { notMongo } from "./errors.ts";

const ANSWER_MS = 2_000;
const HEADER_BYTES = 16;
/** Messages may be that long. */
const LONGEST_MESSAGE = 48_000_000;
const OP_MSG = 2013;

/**
 * Finds out why a client waited in vain: it can't tell a server that is slow from one of another kind.
 * @param servers `host:port` each.
 * @throws `CONFIG_INVALID` when every server that answers at all is of another kind.
 */
export async function identify(servers: readonly string[], clock: Clock): Promise<void> {
  const said = await Promise.all(servers.map((server) => ask(server, clock)));
  const kinds = said.map(kindOf);
  if (kinds.length === 0 || kinds.includes(undefined)) return;
  throw notMongo(servers.join(", "), [...new Set(kinds)].join(", "));
}

/** What a server says first, or to a greeting of MongoDB's; nothing when it says nothing in time. */
function ask(server: string, clock: Clock): Promise<Buffer> {
  const { hostname, port } = new URL(`ws://${server}`);
  const socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) });
  return new Promise((resolve) => {
    const done = (bytes: Buffer) => {
      giveUp();
      socket.destroy();
      resolve(bytes);
    };
    const giveUp = clock.schedule(ANSWER_MS, () => done(Buffer.alloc(0)));
    socket.unref();
    socket.on("connect", () => socket.write(hello()));
    socket.on("data", done);
    socket.on("error", () => done(Buffer.alloc(0)));
    socket.on("close", () => done(Buffer.alloc(0)));
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

/** `undefined` for a MongoDB server, and for one that says nothing. */
function kindOf(said: Buffer): string | undefined {
  if (said.length === 0) return undefined;
  const length = said.length < HEADER_BYTES ? 0 : said.readInt32LE(0);
  if (length >= HEADER_BYTES && length <= LONGEST_MESSAGE && said.readInt32LE(12) === OP_MSG) return undefined;
  const text = said.toString("latin1");
  if (text.startsWith("HTTP/")) return "HTTP";
  if (text.startsWith("AMQP")) return "AMQP";
  if (text.startsWith("INFO ")) return "the protocol of NATS";
  return /^[+-]/.test(text) ? "the protocol of Redis" : "another protocol";
}
