import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CommandLine, type Environment, ProcessGroup } from "./processes.ts";

const FAILED = ".failed";
const RETRY_MS = 10 * 60_000;
const POLL_MS = 500;
const BEAT_MS = 2_000;
const DEAD_MS = 15_000;
const TELL_MS = 10_000;
const MAKE_MS = 15 * 60_000;

/** Where what is made or fetched once is kept; `INTERMODAL_TEST_CACHE` overrides it. */
export function cacheFolder(): string {
  const { INTERMODAL_TEST_CACHE, XDG_CACHE_HOME } = process.env;
  return INTERMODAL_TEST_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "intermodal");
}

export function cached(name: string): string {
  return join(cacheFolder(), name);
}

/** What makes a folder of the cache: fills `made`; `scratch` is removed afterwards. Both end with this process, however it ends. */
export interface Making {
  readonly made: string;
  readonly scratch: string;
  /** Runs a program to its end. @throws with what it said last when it fails. */
  run(command: CommandLine, environment?: Environment): Promise<void>;
}

/**
 * Makes a folder of the cache once, whole or not at all, whoever else wants it meanwhile, in other processes too: they wait.
 * Says on stderr what it does. @returns the folder.
 */
export async function inCache(name: string, what: string, make: (making: Making) => Promise<void>): Promise<string> {
  const path = cached(name);
  if (await exists(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const release = await lock(`${path}.lock`, () => tell(`${what}: somebody else is at it, waiting`));
  try {
    if (await exists(path)) return path;
    await assertWorthATry(path);
    await makeOnce(path, what, make);
  } finally {
    await release();
  }
  return path;
}

async function makeOnce(path: string, what: string, make: (making: Making) => Promise<void>): Promise<void> {
  const started = performance.now();
  const seconds = () => `${Math.round((performance.now() - started) / 1_000)} s`;
  const scratch = await mkdtemp(`${path}.partial-`);
  const group = new ProcessGroup(scratch);
  const made = join(scratch, "made");
  const progress = setInterval(
    async () => tell(`${what}: ${seconds()}, ${lastLine(await group.lastWords(500))}`),
    TELL_MS,
  );
  const tooLong = setTimeout(() => void group.kill(), MAKE_MS);
  tell(`${what}: this takes a while, once (kept in ${path})`);
  try {
    await mkdir(made);
    await make({
      made,
      scratch,
      async run(command, environment = {}) {
        group.start(command, environment);
        const code = await group.ended();
        if (code === 0) return;
        const words = await group.lastWords();
        tell(words);
        throw new Error(`${what} could not be made: ${lastLine(words)}`);
      },
    });
    await rename(made, path).catch(async (error) => {
      // Somebody who took this process for dead was quicker.
      if (!(await exists(path))) throw error;
    });
    await rm(`${path}${FAILED}`, { force: true });
    tell(`${what}: made in ${seconds()}`);
  } catch (error) {
    tell(`${what}: failed after ${seconds()}`);
    await writeFile(`${path}${FAILED}`, error instanceof Error ? error.message : String(error)).catch(() => {});
    throw error;
  } finally {
    clearInterval(progress);
    clearTimeout(tooLong);
    await group.close();
  }
}

/** A file that its holder keeps young: one that has grown old is nobody's any more. */
async function lock(path: string, onWait: () => void): Promise<() => Promise<void>> {
  for (let waits = 0; !(await take(path)); waits++) {
    if (waits === 2) onWait();
    await sleep(POLL_MS);
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), BEAT_MS);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(path, { force: true });
  };
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, "", { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > DEAD_MS) await rm(path, { force: true });
    return false;
  }
}

/** A failure counts for a while: each of a test run's workers would try again, and wait for it to fail again. */
async function assertWorthATry(path: string): Promise<void> {
  const found = await stat(`${path}${FAILED}`).catch(() => undefined);
  if (found === undefined || Date.now() - found.mtimeMs > RETRY_MS) return;
  throw new Error(await readFile(`${path}${FAILED}`, "utf8"));
}

/** Lets everything that failed be tried again at once. */
export async function forgetFailures(): Promise<void> {
  for (const name of await readdir(cacheFolder()).catch(() => [])) {
    if (name.endsWith(FAILED)) await rm(cached(name));
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf("\n") + 1).slice(0, 120);
}

function tell(text: string): void {
  process.stderr.write(`servers: ${text}\n`);
}
