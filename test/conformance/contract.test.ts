import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { cases } from "@intermodal/conformance";
import { describe, expect, test } from "vitest";

const contract = readFileSync(resolve(import.meta.dirname, "../../docs/contract.md"), "utf8");
const promised = [...contract.matchAll(/^- \*\*([A-Z]{2}-\d+)\*\*/gm)].map(([, number]) => number);
const cited = new Set(cases.flatMap(({ guarantees }) => guarantees));

const SECTIONS = {
  CB: { heading: "Command bus", subjects: ["commandBus"] },
  EB: { heading: "Event bus", subjects: ["eventBus"] },
  TS: { heading: "Task state store", subjects: ["taskStateStore"] },
  ES: { heading: "Event stream", subjects: ["eventStream"] },
  SC: { heading: "Schedule store", subjects: ["scheduleStore"] },
  RL: { heading: "Rate limiter", subjects: ["rateLimiter"] },
  IN: { heading: "Inbox", subjects: ["inbox"] },
  LC: { heading: "Life of a task", subjects: ["lifecycle"] },
} as const;

describe("the contract and the cases", () => {
  test.each(Object.entries(SECTIONS))("every %s promise is cited by a case", (prefix, { heading }) => {
    const numbers = promised.filter((number) => number?.startsWith(`${prefix}-`));
    expect(contract).toContain(`\n## ${heading}\n`);
    expect(numbers).toEqual(numbers.map((_, at) => `${prefix}-${at + 1}`));
    expect(numbers.length).toBeGreaterThanOrEqual(3);
    expect(numbers.filter((number) => number !== undefined && !cited.has(number))).toEqual([]);
  });

  test("no promise stands outside of the known sections", () => {
    expect(promised.filter((number) => number === undefined || !(number.slice(0, 2) in SECTIONS))).toEqual([]);
  });

  test("every case cites promises that exist, of its own section among them", () => {
    const wrong = cases.filter(({ guarantees, subject }) => {
      const own = Object.entries(SECTIONS).find(([, { subjects }]) => subjects.some((name) => name === subject))?.[0];
      return (
        !guarantees.every((number) => promised.includes(number)) ||
        !guarantees.some((number) => number.startsWith(`${own}-`))
      );
    });
    expect(wrong.map(({ id, guarantees }) => `${id}: ${guarantees.join(", ")}`)).toEqual([]);
  });

  test("ids of cases are unique", () => {
    const ids = cases.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });
});
