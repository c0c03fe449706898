import { spawn } from "node:child_process";
import { resolve } from "node:path";

const MAIN = resolve(import.meta.dirname, "main.ts");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the example in a folder, with nothing configured but `env`; `onOutput` sees all of its output so far, each time there is more. */
export function runMain(
  folder: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; onOutput?: (all: string, signal: (name: NodeJS.Signals) => void) => void } = {},
) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(INTERMODAL_|npm_|INIT_CWD)/.test(name)),
  );
  const child = spawn(process.execPath, ["--conditions=@intermodal/source", MAIN, ...args], {
    cwd: folder,
    env: { ...env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    options.onOutput?.(stdout, (name) => child.kill(name));
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  return new Promise<Ended>((resolveEnd, reject) => {
    child.on("error", reject).on("close", (code) => resolveEnd({ code, stdout, stderr }));
  });
}
