import { expect, test } from "vitest";
import { MAX_DELAY_MS, RUNGS_MS, rungFor } from "./delays.ts";

test("no delay is longer in its queue than 20 % and a part of a second", () => {
  for (let delayMs = 1; delayMs <= MAX_DELAY_MS; delayMs = Math.ceil(delayMs * 1.003)) {
    const rung = rungFor(delayMs);
    expect(rung).toBeGreaterThanOrEqual(delayMs);
    expect(rung - delayMs).toBeLessThanOrEqual(0.2 * delayMs + 500);
  }
});

test("the ladder is short, ascends and ends with the longest delay", () => {
  expect(RUNGS_MS).toEqual([...new Set(RUNGS_MS)].sort((a, b) => a - b));
  expect(RUNGS_MS.at(-1)).toBe(MAX_DELAY_MS);
  expect(RUNGS_MS.length).toBeLessThan(80);
  expect(rungFor(MAX_DELAY_MS)).toBe(MAX_DELAY_MS);
});
