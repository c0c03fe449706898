import { type Process, processes } from "./process-table.ts";

export async function stillAlive(some: readonly Process[]): Promise<Process[]> {
  const pids = new Set((await processes()).map(({ pid }) => pid));
  return some.filter(({ pid }) => pids.has(pid));
}

/** The folders of the servers that are among them. */
export function foldersOf(some: readonly Process[]): string[] {
  return some.flatMap(({ commandLine }) => /watchdog (\/\S*intermodal-\S+)$/.exec(commandLine)?.[1] ?? []);
}
