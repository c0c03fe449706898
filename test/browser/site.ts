import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Proxy as Road, startProxy } from "../servers/index.ts";

const MAIN = fileURLToPath(new URL("../../examples/live-run/main.ts", import.meta.url));

/** The example "live run" in a process of its own, and the road to it, which can be broken. */
export interface Site {
  readonly road: Road;
  readonly url: string;
  close(): Promise<void>;
}

/** @param carriers Variables of the environment; what others name is not for these tests. */
export async function startSite(carriers: Readonly<Record<string, string>> = {}): Promise<Site> {
  const env = Object.entries(process.env).filter(([name]) => !/^(INTERMODAL_|NODE_ENV$)/.test(name));
  const program = spawn(process.execPath, ["--conditions=@intermodal/source", MAIN], {
    env: { ...Object.fromEntries(env), ...carriers, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const road = await startProxy(await portOf(program));
  return {
    road,
    url: `http://127.0.0.1:${road.port}/`,
    async close() {
      await road.close();
      if (program.kill("SIGTERM")) await once(program, "exit");
    },
  };
}

function portOf({ stdout, exitCode }: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    stdout?.on("data", (said: Buffer) => resolve(Number(/:(\d+)\/$/m.exec(said.toString())?.[1])));
    stdout?.on("end", () => reject(new Error(`the example ended before it listened (${exitCode})`)));
  });
}
