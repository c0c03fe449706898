import { type ConformanceCase, cases } from "@intermodal/conformance";
import { describe, expect, test } from "vitest";
import { runSabotaged } from "./harness.ts";
import type { Sabotage } from "./sabotage.ts";

const portCases = cases.filter(({ subject }) => subject !== "lifecycle");

/** What came of each case; with the error where it was not meant to fail. */
async function outcomes(of: readonly ConformanceCase[], sabotage: Sabotage): Promise<string[]> {
  const found: string[] = [];
  for (const testCase of of) {
    const { status, error, reason } = await runSabotaged(testCase, sabotage);
    const meant = sabotage.breaks.includes(testCase.id);
    found.push(
      `${testCase.id} ${status}${status === "failed" && !meant ? `: ${error}` : ""}${reason === undefined ? "" : `: ${reason}`}`,
    );
  }
  return found;
}

/** Declares a test per sabotage: its cases must fail, and those of other ports must pass. */
export function verifySabotages(sabotages: readonly Sabotage[]): void {
  describe("a sabotaged adapter fails its own cases, and no other port's", () => {
    test.each(sabotages.map((sabotage) => ({ name: sabotage.name, sabotage })))(
      "$name",
      { timeout: 120_000 },
      async ({ sabotage }) => {
        const own = cases.filter(({ id }) => sabotage.breaks.includes(id));
        expect(own.map(({ id }) => id).sort(), "cases that exist").toEqual([...sabotage.breaks].sort());
        const subjects = own.map(({ subject }) => subject);
        expect(subjects.filter((subject) => subject !== sabotage.subject && subject !== "lifecycle")).toEqual([]);
        expect(await outcomes(own, sabotage)).toEqual(own.map(({ id }) => `${id} failed`));
        const others =
          sabotage.subject === "lifecycle" ? [] : portCases.filter(({ subject }) => subject !== sabotage.subject);
        expect(await outcomes(others, sabotage)).toEqual(others.map(({ id }) => `${id} passed`));
      },
    );
  });
}
