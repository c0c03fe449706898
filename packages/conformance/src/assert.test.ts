import { IntermodalError } from "@intermodal/core/ports";
import { describe, expect, test } from "vitest";
import { AssertionError, assert, equal, rejects } from "./assert.ts";

describe("equal", () => {
  test.each([
    ["primitives", Number.NaN, Number.NaN],
    ["nested objects", { a: [1, { b: null }] }, { a: [1, { b: null }] }],
    ["a missing property and an undefined one", { a: 1 }, { a: 1, b: undefined }],
    ["bytes of different kinds", Buffer.from("ab"), Uint8Array.of(97, 98)],
    [
      "maps in any order",
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
      new Map([
        ["b", 2],
        ["a", 1],
      ]),
    ],
    ["sets", new Set([1, 2]), new Set([2, 1])],
    ["hostile keys", JSON.parse('{"__proto__":{"x":1}}'), JSON.parse('{"__proto__":{"x":1}}')],
  ])("takes %s for equal", (_, actual: unknown, expected: unknown) => {
    equal(actual, expected, "values");
  });

  test.each([
    ["zeros of different sign", 0, -0],
    ["a missing item", [1], [1, 2]],
    ["an array and an object", [], {}],
    ["bytes and numbers", Uint8Array.of(1), [1]],
    ["other bytes", Uint8Array.of(1, 2), Uint8Array.of(1, 3)],
    ["another value deep inside", { a: [1, { b: 1 }] }, { a: [1, { b: 2 }] }],
    ["a hostile key and none", JSON.parse('{"__proto__":{"x":1}}'), {}],
    ["maps of other values", new Map([["a", 1]]), new Map([["a", 2]])],
    ["sets of other values", new Set([1]), new Set([2])],
    ["null and an object", null, {}],
  ])("tells %s apart, and shows both", (_, actual: unknown, expected: unknown) => {
    const compare = () => equal(actual, expected, "the values");
    expect(compare).toThrow(AssertionError);
    expect(compare).toThrow(expect.objectContaining({ actual, expected, showDiff: true }));
  });
});

describe("rejects", () => {
  test("returns the error where its code is one of those expected", async () => {
    const error = new IntermodalError("CLOSED", "closed");
    expect(await rejects("a call", ["CLOSED", "UNAVAILABLE"], Promise.reject(error))).toBe(error);
    const throwing = () => {
      throw error;
    };
    expect(await rejects("a call that throws", "CLOSED", throwing)).toBe(error);
  });

  test("fails on another code, another error, and a promise that resolves", async () => {
    const other = rejects("a call", "CLOSED", Promise.reject(new IntermodalError("UNAVAILABLE", "away")));
    await expect(other).rejects.toThrow("a call: expected a rejection with CLOSED, got IntermodalError: away");
    await expect(rejects("a call", "CLOSED", Promise.reject(new Error("no")))).rejects.toThrow(AssertionError);
    await expect(rejects("a call", "CLOSED", Promise.resolve(5))).rejects.toThrow("but it resolved to 5");
  });
});

test("assert throws its message for anything falsy", () => {
  assert(1, "fine");
  expect(() => assert(undefined, "the condition")).toThrow(new AssertionError("the condition"));
});
