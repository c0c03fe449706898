import { expect, test } from "vitest";
import { type Evidence, judge } from "./oracle.ts";

const T = 1_000_000;

/** Ten messages, each handled once by process 0, a second apart. Number 9 fails for good. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  const handlings = Array.from({ length: 9 }, (_, index) => [index, [{ process: 0, at: T + index * 1_000 }]] as const);
  return {
    messages: 10,
    acknowledged: new Set(Array.from({ length: 10 }, (_, index) => index)),
    unknown: new Set(),
    handlings: new Map(handlings),
    dead: [9],
    kills: new Map(),
    outages: [],
    failsForGood: (index) => index === 9,
    failsAtFirst: (index) => index === 8,
    ...changes,
  };
}

function handledAgain(index: number, afterMs: number): Evidence["handlings"] {
  const { handlings } = evidence();
  const first = handlings.get(index) ?? [];
  const again = { process: 1, at: T + index * 1_000 + afterMs };
  // In the order in which the ledgers happened to be read.
  return new Map([...handlings, [index, [again, ...first]]]);
}

test("a run in which all is well", () => {
  expect(judge(evidence())).toEqual({
    handled: 9,
    dead: 1,
    deadTwice: 0,
    missing: [],
    invented: [],
    deadForNothing: [],
    duplicates: { sentTwice: 0, afterKill: 0, afterRestart: 0, afterRetry: 0, unexplained: [] },
  });
});

test("what was acknowledged and is nowhere is missing; what was never acknowledged is not", () => {
  const handlings = new Map([...evidence().handlings].filter(([index]) => index !== 4 && index !== 5));
  const acknowledged = new Set([...evidence().acknowledged].filter((index) => index !== 5));
  expect(judge(evidence({ handlings, dead: [], acknowledged })).missing).toEqual([4, 9]);
});

test("what was never sent is invented, handled or dead", () => {
  const handlings = new Map([...evidence().handlings, [10, [{ process: 0, at: T }]]]);
  expect(judge(evidence({ handlings, dead: [9, -1] })).invented).toEqual([10, -1]);
});

test("dead letters are counted by message, and each has to have a reason", () => {
  expect(judge(evidence({ dead: [9, 9, 3] }))).toMatchObject({ dead: 2, deadTwice: 1, deadForNothing: [3] });
});

test("a second handling of what failed on purpose before is put down to its copy", () => {
  const { duplicates } = judge(evidence({ handlings: handledAgain(8, 50) }));
  expect(duplicates).toMatchObject({ afterRetry: 1, unexplained: [] });
});

test("a second handling without any fault is unexplained", () => {
  expect(judge(evidence({ handlings: handledAgain(3, 50) })).duplicates).toMatchObject({ unexplained: [3] });
});

test("a second handling is put down to the repeated sending, the kill or the restart that explains it", () => {
  const handlings = handledAgain(3, 5_000);
  const at = T + 3_000;
  expect(judge(evidence({ handlings, unknown: new Set([3]) })).duplicates).toMatchObject({ sentTwice: 1 });
  expect(judge(evidence({ handlings, kills: new Map([[0, at + 1]]) })).duplicates).toMatchObject({ afterKill: 1 });
  const outages = [{ from: at + 100, to: at + 2_000 }];
  expect(judge(evidence({ handlings, outages })).duplicates).toMatchObject({ afterRestart: 1 });
});

test("faults explain nothing that has nothing to do with them", () => {
  const handlings = handledAgain(3, 5_000);
  const at = T + 3_000;
  const others = {
    unknown: new Set([4]),
    kills: new Map([[1, at + 1]]),
    outages: [{ from: at + 6_000, to: at + 7_000 }],
  };
  expect(judge(evidence({ handlings, ...others })).duplicates.unexplained).toEqual([3]);
  const longAfter = { kills: new Map([[0, at + 60_000]]), outages: [{ from: at - 9_000, to: at - 5_000 }] };
  expect(judge(evidence({ handlings, ...longAfter })).duplicates.unexplained).toEqual([3]);
});
