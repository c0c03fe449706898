import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** `T` for one that is stopped. */
  readonly state: string;
  readonly commandLine: string;
}

/** The processes of this machine, without those that have ended and are only waiting for their parent to notice. */
export function processes(): Promise<Process[]> {
  // Small machines have no `ps`.
  return process.platform === "linux" ? fromProc() : fromPs();
}

/** The living processes below a process, but for a `ps` that lists them. */
export async function descendants(ancestor: number): Promise<Process[]> {
  const all = await processes();
  const below = (parent: number): Process[] =>
    all
      .filter((one) => one.parent === parent && !one.commandLine.startsWith("ps "))
      .flatMap((one) => [one, ...below(one.pid)]);
  return below(ancestor);
}

async function fromProc(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(readProcess));
  return found.filter((one) => one !== undefined);
}

async function readProcess(pid: string): Promise<Process | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile(`/proc/${pid}/cmdline`, "latin1"),
    ]);
    // After the name, which is in parentheses and may hold anything.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === undefined || "ZX".includes(state)) return undefined;
    return {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      state,
      commandLine: commandLine.replaceAll("\0", " ").trim(),
    };
  } catch {
    return undefined;
  }
}

async function fromPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,pgid=,stat=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, group, state, commandLine = ""] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)/.exec(line) ?? [];
    if (state === undefined || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), state: state.slice(0, 1), commandLine }];
  });
}
