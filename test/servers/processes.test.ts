import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, it, onTestFinished, type TestContext } from "vitest";
import { dockerClient } from "./docker.ts";
import { variableOf } from "./environment.ts";
import { type ServerKind, startServer, whyMissing } from "./index.ts";
import { foldersOf, stillAlive } from "./leftovers.ts";
import { descendants } from "./process-table.ts";
import { skipWithout } from "./skip-without.ts";

async function need(kind: ServerKind, { skip }: TestContext): Promise<void> {
  skipWithout(await whyMissing(kind), { skip });
  if ((await dockerClient()) !== undefined) skip("containers are ended by the library that started them");
  if (process.env[variableOf(kind)]) skip("the server of the environment is not ours");
}

/** Starts a process that starts a server and waits. */
async function parentOf(kind: ServerKind) {
  const program = `
    import { startServer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
    await startServer(${JSON.stringify(kind)});
    console.log("started");
    setInterval(() => {}, 1_000);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  await once(parent.stdout, "data");
  return parent;
}

for (const [kind, signal] of [
  ["nats", "SIGINT"],
  ["nats", "SIGKILL"],
  ["rabbit", "SIGKILL"],
] as const) {
  it(`a ${kind} server's parent that ends by ${signal} leaves neither a process nor a file`, {
    timeout: 60_000,
  }, async (t) => {
    await need(kind, t);
    const parent = await parentOf(kind);
    const processes = await descendants(parent.pid ?? 0);
    const folders = foldersOf(processes);
    expect(folders).toHaveLength(1);
    // As Ctrl-C does: the whole group.
    process.kill(-(parent.pid ?? 0), signal);
    await once(parent, "exit");
    await expect.poll(() => stillAlive(processes), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => folders.filter(existsSync), { timeout: 10_000 }).toEqual([]);
  });
}

it("a start that fails says what the server said, and leaves nothing", async (t) => {
  await need("nats", t);
  const started = startServer("nats", { config: "max_payload: nonsense" });
  await expect(started).rejects.toThrow(/it ended. It said: .*interface conversion/s);
  await expect.poll(() => descendants(process.pid)).toEqual([]);
});
