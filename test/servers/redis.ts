import type { Recipe } from "./recipe.ts";
import type { ServerOptions } from "./server.ts";
import { converse } from "./socket.ts";

export interface RedisOptions extends ServerOptions {
  /** What it asks clients for; absent: nothing. */
  readonly password?: string | undefined;
  /** More arguments, such as `--maxmemory 10mb`; `$DIR` in them is the server's folder. */
  readonly args?: readonly string[] | undefined;
}

/** Keeps everything: none evicted, and appended to a file before it is acknowledged. With `everysec` an answer may go out up to two seconds before the file has it, while the disk is busy. */
export function redisRecipe(kind: "redis" | "valkey", { password, args = [], files = {} }: RedisOptions): Recipe {
  const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    kind,
    morePorts: 0,
    files: () => files,
    command: ({ program, host, port, dir }) => [
      program,
      ...["--bind", host, "--port", String(port), "--dir", dir],
      ...[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
        "--protected-mode",
        "no",
      ],
      ...(password === undefined ? [] : ["--requirepass", password]),
      ...args.map((arg) => arg.replaceAll("$DIR", dir)),
    ],
    environment: () => ({}),
    url: (port) => `redis://${credentials}127.0.0.1:${port}`,
    probe: redisVersion,
  };
}

/** Rejects while it is still loading its data, which it says to PING only. */
function redisVersion(url: string): Promise<string> {
  const at = new URL(url);
  const understand = (said: Buffer) => {
    const answers = said.toString();
    if (/^-/m.test(answers)) throw new Error(answers);
    if (!answers.includes("+PONG\r\n")) return undefined;
    return (/^valkey_version:(.*)\r$/m.exec(answers) ?? /^redis_version:(.*)\r$/m.exec(answers))?.[1];
  };
  const authenticate = at.password === "" ? "" : `AUTH ${JSON.stringify(decodeURIComponent(at.password))}\r\n`;
  return converse(at, understand, `${authenticate}INFO server\r\nPING\r\n`);
}
