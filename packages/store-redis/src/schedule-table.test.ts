import type { ScheduleWrite } from "@intermodal/core/ports";
import { expect, test } from "vitest";
import { Names } from "./names.ts";
import { ScheduleTable } from "./schedule-table.ts";
import type { Script } from "./scripts.ts";
import type { Session } from "./session.ts";

function writeOf(name: string, length: number): ScheduleWrite {
  const definition = { pattern: "x".repeat(length) } as never;
  return { name, expected: undefined, schedule: { revision: "1", definition, state: "running", nextAt: 7, fires: 0 } };
}

test("schedules that are long are written in calls of a bounded length", async () => {
  const calls: number[] = [];
  const script = async (_: string, __: Script, ___: readonly string[], args: readonly unknown[]) => {
    calls.push(args.length / 6);
    return [8, ...Array.from({ length: args.length / 6 }, () => [1, "8"])];
  };
  const table = new ScheduleTable({ names: new Names("library"), script } as unknown as Session);
  const lengths = [10, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 10];
  const outcomes = await table.write(lengths.map((length, at) => writeOf(`s${at}`, length)));
  expect(outcomes).toEqual(
    lengths.map((_, at) => expect.objectContaining({ schedule: expect.objectContaining({ name: `s${at}` }) })),
  );
  expect(calls).toEqual([5, 2]);
});
