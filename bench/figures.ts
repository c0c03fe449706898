import { cpus, loadavg } from "node:os";
import { describeMachine } from "../scripts/soak/report.ts";

/** One measured value, and what it has to be. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it should be; told where it is missed. */
  readonly goal?: number | undefined;
  /** What it has to be: a bench that misses it fails. Absent: it is for information. */
  readonly must?: number | undefined;
  /** Which side of goal and must is good. @default "at most" */
  readonly good?: "at most" | "at least" | undefined;
}

/** All figures of a bench, and what they were measured on. */
export interface Report {
  readonly bench: string;
  readonly command: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: string;
  readonly on: string;
  readonly figures: readonly Figure[];
}

/** What it is, and how busy others keep it: figures of a busy machine say little. */
export function machine(): string {
  return `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${describeMachine()}, load ${loadavg()[0]?.toFixed(1)} before`;
}

export function missed({ figures }: Report): readonly Figure[] {
  return figures.filter(({ value, must, good }) => must !== undefined && !isGood(value, must, good));
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, goal, must, good = "at most" }) => [
    name,
    `${format(value)} ${unit}`.trim(),
    goal === undefined ? "" : `${good} ${format(goal)}`,
    must === undefined ? "" : `${good} ${format(must)}`,
    verdict(value, goal, must, good),
  ]);
  const all = [["", "measured", "goal", "must", ""], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function verdict(value: number, goal: number | undefined, must: number | undefined, good: Figure["good"]): string {
  if (must !== undefined && !isGood(value, must, good)) return "MISSED";
  if (goal !== undefined && !isGood(value, goal, good)) return "misses the goal";
  return must === undefined && goal === undefined ? "" : "ok";
}

function isGood(value: number, limit: number, good: Figure["good"] = "at most"): boolean {
  return good === "at most" ? value <= limit : value >= limit;
}

function format(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** What so many percent of the values do not exceed. @param sorted ascending. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}
