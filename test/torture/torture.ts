import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../servers/index.ts";
import type { TortureOptions } from "./options.ts";
import { appOf } from "./process.ts";
import { Run } from "./run.ts";
import { type Summary, summarise } from "./summary.ts";

/** The server came from the environment. */
export class ServerNotOursError extends Error {
  override readonly name = "ServerNotOursError";
}

/** Sends, kills, restarts and counts, on a server of its own; leaves nothing behind. @throws when `signal` aborts; {@link ServerNotOursError}; and where the server cannot be had. */
export async function torture(
  options: TortureOptions,
  { say, signal = new AbortController().signal }: { say: (line: string) => void; signal?: AbortSignal },
): Promise<Summary> {
  const server = await startServer(options.broker);
  const folder = mkdtempSync(join(tmpdir(), "intermodal-torture-"));
  const common = { url: server.url, namespace: `torture-${options.seed}` };
  try {
    if (!server.restartable)
      throw new ServerNotOursError("it needs a server that it may kill, not one from the environment");
    const { version } = server;
    const app = await appOf({ ...common, leaseMs: options.leaseMs });
    const run = new Run({ options, server, app, folder, common, say, signal });
    let failure: string | undefined;
    try {
      await run.toEnd();
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error instanceof Error ? error.message : String(error);
    } finally {
      await app.stop();
    }
    return summarise(run, options, version, failure);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
