import type { Recipe } from "./recipe.ts";
import type { ServerOptions } from "./server.ts";
import { converse } from "./socket.ts";

export function mongoRecipe({ files = {} }: ServerOptions): Recipe {
  return {
    kind: "mongo",
    morePorts: 0,
    files: () => files,
    command: ({ program, host, port, dir }) => [
      program,
      ...["--bind_ip", host, "--port", String(port), "--dbpath", dir, "--nounixsocket"],
    ],
    environment: () => ({}),
    url: (port) => `mongodb://127.0.0.1:${port}`,
    probe: mongoVersion,
  };
}

function mongoVersion(url: string): Promise<string> {
  return converse(
    new URL(url),
    (said) => (said.length < 4 || said.length < said.readInt32LE(0) ? undefined : stringIn(said, "version")),
    commandOf("buildInfo"),
  );
}

/** `{ [name]: 1, $db: "admin" }` as a message of MongoDB's protocol: a header, flags, and one document in BSON. */
export function commandOf(name: string): Buffer {
  const body = `\x10${name}\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0`;
  const message = Buffer.from(`${"\0".repeat(16)}\0\0\0\0\0\0\0\0\0${body}`, "latin1");
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(2013, 12);
  message.writeInt32LE(message.length - 21, 21);
  return message;
}

/** The value of a field that is a string. */
function stringIn(document: Buffer, field: string): string {
  const name = `\x02${field}\0`;
  const at = document.indexOf(name);
  if (at < 0) throw new Error(`an answer without ${field}: ${JSON.stringify(document.toString("latin1"))}`);
  const start = at + name.length + 4;
  return document.toString("utf8", start, start + document.readInt32LE(start - 4) - 1);
}
