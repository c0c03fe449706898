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

  it("a fault in the code stops it", async () => {
    const fault = new TypeError("x is undefined");
    await expect(inParts([1, 2], 1, () => Promise.reject(fault))).rejects.toBe(fault);
  });
});
