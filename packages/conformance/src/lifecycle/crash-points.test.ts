import { expect, test } from "vitest";
import type { CaseContext } from "../case.ts";
import { chosen } from "./crash-points.ts";

function context(options: { readonly moments: number; readonly firstMoment?: number; readonly full?: boolean }) {
  const { moments, firstMoment = 1, full = false } = options;
  return { moments, firstMoment, size: (large, small) => (full ? large : small) } as CaseContext;
}

test("moments are spread evenly, and no more than there are", () => {
  expect(chosen(context({ moments: 2 }), 9)).toEqual([1, 5]);
  expect(chosen(context({ moments: 10 }), 3)).toEqual([1, 2, 3]);
  expect(chosen(context({ moments: 2 }), 0)).toEqual([]);
});

test("in a soak it is every one", () => {
  expect(chosen(context({ moments: 2, full: true }), 4)).toEqual([1, 2, 3, 4]);
});

test("runs that begin with different ones try all between them, round the end", () => {
  const runs = Array.from({ length: 10 }, (_, run) => chosen(context({ moments: 2, firstMoment: run + 1 }), 20));
  expect(new Set(runs.flat()).size).toBe(20);
  expect(chosen(context({ moments: 2, firstMoment: 12 }), 20)).toEqual([12, 2]);
});
