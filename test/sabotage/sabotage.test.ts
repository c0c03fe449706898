import { cases, type ConformanceCase } from "@intermodal/conformance";
import { describe, expect, test } from "vitest";
import { commandBusSabotages } from "./command-bus.ts";
import { eventBusSabotages } from "./event-bus.ts";
import { eventStreamSabotages } from "./event-stream.ts";
import { runSabotaged } from "./harness.ts";
import type { Sabotage } from "./sabotage.ts";
import { taskStateStoreSabotages } from "./task-state-store.ts";

const sabotages = [...commandBusSabotages, ...eventBusSabotages, ...taskStateStoreSabotages, ...eventStreamSabotages];
const byId = new Map(cases.map((testCase) => [testCase.id, testCase]));

async function outcomes(of: readonly ConformanceCase[], sabotage: Sabotage): Promise<string[]> {
  const found: string[] = [];
  for (const testCase of of) {
    const { status, error, reason } = await runSabotaged(testCase, sabotage);
    found.push(status === "failed" ? `${testCase.id} failed` : status === "skipped" ? `${testCase.id} skipped: ${reason}` : `${testCase.id} passed`);
    if (status === "failed" && !sabotage.breaks.includes(testCase.id)) found.push(String(error));
  }
  return found;
}

describe("every sabotage", () => {
  test.each(sabotages.map((sabotage) => ({ name: sabotage.name, sabotage })))("$name", { timeout: 120_000 }, async ({ sabotage }) => {
    const broken = sabotage.breaks.map((id) => byId.get(id));
    expect(sabotage.breaks.filter((id) => byId.get(id)?.subject !== sabotage.subject), "cases of its own port").toEqual([]);
    const own = broken.filter((testCase) => testCase !== undefined);
    const others = cases.filter(({ subject }) => subject !== sabotage.subject && subject !== "lifecycle");
    expect(await outcomes(own, sabotage)).toEqual(own.map(({ id }) => `${id} failed`));
    expect(await outcomes(others, sabotage)).toEqual(others.map(({ id }) => `${id} passed`));
  });
});

describe("the sabotages together", () => {
  test("have different names", () => {
    expect(new Set(sabotages.map(({ name }) => name)).size).toBe(sabotages.length);
  });

  test("make every case of a port fail", () => {
    const broken = new Set(sabotages.flatMap(({ breaks }) => breaks));
    const unbroken = cases.filter(({ id, subject }) => subject !== "lifecycle" && !broken.has(id));
    expect(unbroken.map(({ id }) => id)).toEqual([]);
  });
});
