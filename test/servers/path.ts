import { access, constants, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Program } from "./local.ts";

/** A program of this machine, found as a shell finds it. */
export async function onPath(name: string): Promise<Program | undefined> {
  const path = await which(name);
  return path === undefined ? undefined : onThisMachine(path);
}

export function onThisMachine(path: string): Program {
  return { root: "/", path, temporary: tmpdir(), enter: (argv) => argv };
}

export async function which(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, name)))) return withoutWrapper(join(folder, name), name);
  }
  return undefined;
}

/** Debian's and Red Hat's `rabbitmq-server` on the PATH changes the user and the log; the program itself is elsewhere. */
async function withoutWrapper(path: string, name: string): Promise<string> {
  const wrapped = join(dirname(path), "../lib/rabbitmq/bin", name);
  return (await isExecutable(wrapped)) ? realpath(wrapped) : path;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
