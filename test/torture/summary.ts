import type { TortureOptions } from "./options.ts";
import type { Findings } from "./oracle.ts";
import type { Run } from "./run.ts";

/** What came of a run. */
export interface Summary {
  readonly options: TortureOptions;
  /** Of the server. */
  readonly version: string;
  readonly seconds: number;
  readonly acknowledged: number;
  /** Sendings that failed and were repeated: the broker had not taken them, or the answer was lost. */
  readonly refused: number;
  readonly unknown: number;
  readonly kills: number;
  readonly restarts: number;
  readonly groups: readonly GroupSummary[];
  /** What is wrong; empty when all went well. */
  readonly problems: readonly string[];
}

export interface GroupSummary extends Findings {
  readonly name: string;
  /** Attempts that failed on purpose. */
  readonly failures: number;
  /** Handlings by process. */
  readonly shares: readonly number[];
}

export function summarise(run: Run, options: TortureOptions, version: string, failure: string | undefined): Summary {
  const groups = run.groups.map(({ group, findings }) => {
    return { name: group.name, ...findings, failures: group.handlings.failures, shares: group.shares };
  });
  const { acknowledged, unknown, refusals } = run.sendings;
  const { kills, restarts } = run.faults;
  const idle = kills > 0 || failure !== undefined ? [] : groups.filter(({ shares }) => shares.includes(0));
  const problems = failure === undefined ? [] : [failure];
  if (failure === undefined && acknowledged.size !== options.messages)
    problems.push("not every message was acknowledged");
  if (failure === undefined && (kills < options.kills || restarts < options.restarts))
    problems.push("not every fault came");
  return {
    options,
    version,
    seconds: Math.round(run.seconds * 10) / 10,
    acknowledged: acknowledged.size,
    refused: refusals,
    unknown: unknown.size,
    kills,
    restarts,
    groups,
    problems: [
      ...problems,
      ...groups.flatMap(problemsOf),
      ...idle.map(({ name }) => `${name}: a process had no share`),
    ],
  };
}

function problemsOf({ name, missing, invented, deadForNothing, duplicates }: GroupSummary): string[] {
  const told = (indexes: readonly number[], what: string) => {
    if (indexes.length === 0) return [];
    return [`${name}: ${indexes.length} ${what}: ${indexes.slice(0, 20).join(", ")}${indexes.length > 20 ? " …" : ""}`];
  };
  return [
    ...told(missing, "acknowledged, neither handled nor in the dead letters"),
    ...told(invented, "handled or dead, never sent"),
    ...told(deadForNothing, "in the dead letters, though nothing made them fail for good"),
    ...told(duplicates.unexplained, "handled twice, without a kill, a restart or a repeated sending"),
  ];
}

/** For people. */
export function printed(summary: Summary): string {
  const { options, version, seconds, acknowledged, refused, unknown, kills, restarts, groups, problems } = summary;
  const lines = [
    `torture of ${options.broker} ${version}, seed ${options.seed}: ${options.messages} ${options.kind} in ${seconds} s, ${kills} workers killed, ${restarts} restarts of the broker`,
    `  acknowledged ${acknowledged}; sendings repeated: ${refused} refused, ${unknown} with a lost answer`,
  ];
  for (const { name, handled, dead, deadTwice, failures, shares, duplicates } of groups) {
    const { sentTwice, afterKill, afterRestart, afterRetry, unexplained } = duplicates;
    const twice = sentTwice + afterKill + afterRestart + afterRetry + unexplained.length;
    lines.push(
      `  ${name}: ${handled} handled (by process: ${shares.join(", ")}), ${dead} dead letters (${deadTwice} twice), ${failures} attempts failed on purpose`,
      `    handled again: ${twice}, of them sent twice ${sentTwice}, worker killed ${afterKill}, broker killed ${afterRestart}, retried before ${afterRetry}, unexplained ${unexplained.length}`,
    );
  }
  lines.push(
    ...problems.map((problem) => `  WRONG: ${problem}`),
    problems.length === 0 ? "  all accounted for" : "  FAILED",
  );
  return lines.join("\n");
}
