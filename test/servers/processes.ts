import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { readTail } from "./files.ts";
import { descendants, type Process, processes } from "./process-table.ts";

export type CommandLine = readonly [program: string, ...args: string[]];
export type Environment = Readonly<Record<string, string>>;

// Waits for this process to be gone, however it went: its input then ends. Before that it is told the process group whenever that
// changes. In a session of its own, so that neither Ctrl-C nor what ends our own group reaches it.
const WATCHDOG = `
group=
while read -r line; do group=$line; done
if [ -n "$group" ]; then
  kill -KILL "-$group"
  sleep 0.3
fi
rm -rf -- "$1"
`;
const STOP_MS = 30_000;

/** The processes of one server, and its folder: both are gone when this process is, at the latest. */
export class ProcessGroup {
  readonly #log: string;
  readonly #watchdog: ChildProcess;
  #leader: ChildProcess | undefined;

  constructor(folder: string) {
    this.#log = join(folder, "log");
    this.#watchdog = spawn("/bin/sh", ["-c", WATCHDOG, "watchdog", folder], {
      detached: true,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#watchdog.unref();
    // Were it gone, there would be nobody to tell.
    this.#watchdog.stdin?.on("error", () => {});
  }

  start([program, ...args]: CommandLine, environment: Environment): void {
    if (this.#leader !== undefined && this.running) throw new Error("it is running");
    const log = openSync(this.#log, "a");
    const leader = spawn(program, args, {
      detached: true,
      cwd: "/",
      stdio: ["ignore", log, log],
      env: { PATH: process.env.PATH, LANG: "C.UTF-8", ...environment },
    });
    closeSync(log);
    leader.on("error", () => {});
    leader.unref();
    this.#leader = leader;
    this.#tellWatchdog(leader.pid);
  }

  get running(): boolean {
    return this.#leader?.pid !== undefined && !hasEnded(this.#leader);
  }

  /** Resolves to its exit code, which is 0 when all went well, once the leader has ended. */
  async ended(): Promise<number | null> {
    const leader = this.#leader;
    if (leader === undefined) return null;
    await exitOf(leader);
    return leader.exitCode;
  }

  /** The end of what it wrote, for messages. */
  lastWords(bytes = 1_500): Promise<string> {
    return readTail(this.#log, bytes);
  }

  /** Asks the leader to end; what does not in time, or is left over, is killed. */
  async stop(): Promise<void> {
    if (this.#leader !== undefined && this.running) {
      this.unfreeze();
      this.#leader.kill("SIGTERM");
      await Promise.race([exitOf(this.#leader), sleep(STOP_MS, undefined, { ref: false })]);
    }
    await this.kill();
  }

  /** Ends all at once. */
  async kill(): Promise<void> {
    const leader = this.#leader;
    if (leader === undefined) return;
    const apart = await this.#apart();
    this.#signal("SIGKILL");
    for (const { pid } of apart) send(pid, "SIGKILL");
    await exitOf(leader);
    const ours = new Set(apart.map(({ pid }) => pid));
    while ((await processes()).some(({ pid, group }) => group === leader.pid || ours.has(pid))) await sleep(5);
    this.#leader = undefined;
    this.#tellWatchdog(undefined);
  }

  // Not those apart: were this process to end meanwhile, nobody would find them any more to end them.
  /** Stops the group where it is. */
  async freeze(): Promise<void> {
    this.#signal("SIGSTOP");
    const isGoing = ({ group, state }: Process) => group === this.#leader?.pid && state !== "T";
    while ((await processes()).some(isGoing)) await sleep(5);
  }

  unfreeze(): void {
    this.#signal("SIGCONT");
  }

  /** Kills what runs and removes the folder. */
  async close(): Promise<void> {
    await this.kill();
    this.#watchdog.stdin?.end();
    await exitOf(this.#watchdog);
  }

  /** Those of it that made themselves a group of their own, as PostgreSQL's and Erlang's do. */
  async #apart(): Promise<Process[]> {
    const leader = this.#leader?.pid;
    if (leader === undefined) return [];
    return (await descendants(leader)).filter(({ group }) => group !== leader);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#leader?.pid !== undefined) send(-this.#leader.pid, signal);
  }

  #tellWatchdog(group: number | undefined): void {
    this.#watchdog.stdin?.write(`${group ?? ""}\n`);
  }
}

/** Runs a program to its end. @returns what it printed. @throws with what it said when it failed. */
export async function run([program, ...args]: CommandLine, environment: Environment = {}): Promise<string> {
  const env = { PATH: process.env.PATH, LANG: "C.UTF-8", ...environment };
  const { stdout } = await promisify(execFile)(program, args, { cwd: "/", env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** @param pid Negative: a group's. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Keeps this process alive meanwhile, which its children otherwise don't. */
async function exitOf(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  child.ref();
  await once(child, "exit");
}
