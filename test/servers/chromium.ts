import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exists } from "./cache.ts";
import { debianChromium, whyNoDebian } from "./debian/programs.ts";
import type { Program } from "./local.ts";
import { onPath, onThisMachine } from "./path.ts";
import { ProcessGroup } from "./processes.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell"];
const VARIABLE = "INTERMODAL_TEST_CHROMIUM";
const START_MS = 60_000;
const POLL_MS = 20;

/** A headless browser of this test's own; it ends with this process at the latest. */
export interface Chromium {
  /** Where its DevTools listen: on loopback only. */
  readonly endpoint: string;
  /** Ends it and removes its profile. */
  close(): Promise<void>;
}

/** A browser that can't be had here; its message says what to install. */
class ChromiumMissingError extends Error {}

/** Why there is no Chromium here: one line that says what to install; undefined when there is. What has to be fetched for it is, once. */
export async function whyNoChromium(): Promise<string | undefined> {
  try {
    await findChromium();
    return undefined;
  } catch (error) {
    if (error instanceof ChromiumMissingError) return error.message;
    throw error;
  }
}

/**
 * Starts the first Chromium that there is: the path in `INTERMODAL_TEST_CHROMIUM`, a program on the PATH, Playwright's own, that of a private Debian.
 * @throws saying what to install, or what the browser said before it ended.
 */
export async function startChromium(): Promise<Chromium> {
  const program = await findChromium();
  const parent = join(program.root, program.temporary);
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "intermodal-chromium-"));
  const group = new ProcessGroup(folder);
  const dir = `/${relative(program.root, folder)}`;
  // It shows pages of this repository only, so it needs no sandbox, which root and containers can't have.
  const options = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
  ];
  const own = [`--user-data-dir=${dir}/profile`, "--remote-debugging-port=0", "about:blank"];
  group.start(program.enter([program.path, ...options, ...own]), { HOME: dir, TMPDIR: dir });
  try {
    return {
      endpoint: await endpointOf(program.path, group, join(folder, "profile/DevToolsActivePort")),
      close: () => group.close(),
    };
  } catch (error) {
    await group.close();
    throw error;
  }
}

async function endpointOf(program: string, group: ProcessGroup, file: string): Promise<string> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    // Written when it listens.
    const [port, path] = (await readFile(file, "utf8").catch(() => "")).split("\n");
    if (port && path) return `ws://127.0.0.1:${port}${path}`;
    if (!group.running || performance.now() > deadline)
      throw new Error(`${program} did not start. It said: ${await group.lastWords()}`);
    await sleep(POLL_MS);
  }
}

async function findChromium(): Promise<Program> {
  const named = process.env[VARIABLE];
  if (named) return onThisMachine(named);
  for (const name of NAMES) {
    const found = await onPath(name);
    if (found !== undefined) return found;
  }
  const playwrights = await playwrightsOwn();
  if (playwrights !== undefined) return onThisMachine(playwrights);
  const why = (await whyNoDebian()) ?? (await fromDebian());
  if (typeof why !== "string") return why;
  throw new ChromiumMissingError(`Chromium is missing: install it, or set ${VARIABLE} to its path (${why})`);
}

async function playwrightsOwn(): Promise<string | undefined> {
  const { chromium } = await import("playwright-core");
  const path = chromium.executablePath();
  return (await exists(path)) ? path : undefined;
}

async function fromDebian(): Promise<Program | string> {
  try {
    return await debianChromium();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
