import { describe, expect, it } from "vitest";
import { IntermodalError } from "../errors.ts";
import { inParts } from "./each.ts";

const lost = new IntermodalError("UNAVAILABLE", "the answer was lost", { unknown: true });
const unsent = new IntermodalError("UNAVAILABLE", "no server");

/** Three parts, each of which comes to what is told of it. */
function take(...outcomes: (IntermodalError | "done")[]) {
  const items = outcomes.flatMap((outcome, part) => [1, 2].map((n) => ({ outcome, name: `${part}.${n}` })));
  return inParts(items, 2, async (part) =>
    part.map(({ outcome, name }) => {
      if (outcome !== "done") throw outcome;
      return name;
    }),
  );
}

describe("a batch in parts", () => {
  it("answers in the order of its items", async () => {
    expect(await take("done", "done", "done")).toEqual(["0.1", "0.2", "1.1", "1.2", "2.1", "2.2"]);
  });

  it("a part that fails stands for its own items alone", async () => {
    expect(await take("done", lost, "done")).toEqual(["0.1", "0.2", lost, lost, "2.1", "2.2"]);
  });

  it("is refused as one where all of it failed alike", async () => {
    await expect(take(unsent)).rejects.toBe(unsent);
    await expect(take(unsent, unsent, unsent)).rejects.toBe(unsent);
  });

  it("says of each part whether it may have been done, where that differs", async () => {
    expect(await take(lost, unsent, unsent)).toEqual([lost, lost, unsent, unsent, unsent, unsent]);
    expect(await take(unsent, lost)).toEqual([unsent, unsent, lost, lost]);
  });

  it("what weighs much goes by itself, one after the other, and is taken when its turn comes; what is light goes together", async () => {
    const told: string[] = [];
    function* items() {
      for (const weight of [1, 1, 1, 9, 12, 1, 9, 1, 1]) {
        told.push(`take ${weight}`);
        yield weight;
      }
    }
    const step = async (part: readonly number[]) => {
      told.push(`begin ${part}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      told.push(`end ${part}`);
      return part.map((weight) => weight * 10);
    };
    const results = await inParts(items(), 2, step, (weight) => weight, 10);
    expect(results).toEqual([10, 10, 10, 90, 120, 10, 90, 10, 10]);
    expect(told).toEqual([
      ...["take 1", "take 1", "take 1", "take 9", "begin 1,1", "begin 1", "end 1,1", "end 1"],
      ...["take 12", "begin 9", "end 9", "take 1", "begin 12", "end 12", "take 9", "take 1", "begin 1,9", "end 1,9"],
      ...["take 1", "begin 1,1", "end 1,1"],
    ]);
  });

  it("after a store that was away no other load is begun, and nothing of it has happened", async () => {
    const begun: number[] = [];
    const outcomes = new Map([
      [1, new IntermodalError("PAYLOAD_TOO_LARGE", "too large")],
      [2, lost],
    ]);
    const step = async ([item = 0]: readonly number[]) => {
      begun.push(item);
      const failure = outcomes.get(item);
      if (failure !== undefined) throw failure;
      return [item];
    };
    const [first, second, ...rest] = await inParts([1, 2, 3, 4], 2, step, () => 1, 1);
    expect([begun, first, second]).toEqual([[1, 2], outcomes.get(1), lost]);
    expect(rest.map((one) => one instanceof IntermodalError && [one.code, one.unknown])).toEqual([
      ["UNAVAILABLE", false],
      ["UNAVAILABLE", false],
    ]);
    outcomes.set(1, unsent);
    await expect(inParts([1, 2, 3], 2, step, () => 1, 1)).rejects.toBe(unsent);
  });

  it("a fault in the code stops it", async () => {
    const fault = new TypeError("x is undefined");
    await expect(inParts([1, 2], 1, () => Promise.reject(fault))).rejects.toBe(fault);
  });
});
