import { describe, expect, test } from "vitest";
import { checkRange, checkVersion, inRange, parseVersion, sameMajor } from "./version.ts";

const unreadable = ["", "1", "1.", ".1", "v1.0", "1.0.0", "1.x", " 1.0", "1.0\n", "-1.0", "1e3.0", "9999999999.0"];

test("a version is major.minor", () => {
  expect(parseVersion("1.0")).toEqual({ major: 1, minor: 0 });
  expect(parseVersion("12.345")).toEqual({ major: 12, minor: 345 });
  expect(checkVersion("x", "1.0")).toBe("1.0");
});

test.each(unreadable)("%j is no version, and in no range", (text) => {
  expect(parseVersion(text)).toBeUndefined();
  expect(() => checkVersion('event "x"', text)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(inRange(text, { min: "0", max: "999999999" })).toBe(false);
});

describe("inRange", () => {
  test.each([
    ["1.0", "1.0", "2", true],
    ["0.9", "1.0", "2", false],
    ["2.0", "1.0", "2", true],
    ["2.99", "1.0", "2", true],
    ["3.0", "1.0", "2", false],
    ["2.3", "1.0", "2.3", true],
    ["2.4", "1.0", "2.3", false],
    ["1.1", "1.2", "1", false],
    ["1.10", "1.2", "1", true],
    ["2.0", "2", "2", true],
    ["1.9", "2", "2", false],
  ])("%s in %s to %s: %s", (version, min, max, expected) => {
    expect(inRange(version, { min, max })).toBe(expected);
  });

  test("a range that cannot be read holds nothing", () => {
    expect(inRange("1.0", { min: "x", max: "2" })).toBe(false);
    expect(inRange("1.0", { min: "1", max: "" })).toBe(false);
  });
});

test("the same major takes all of its minors", () => {
  const range = sameMajor("2.4");
  expect(["1.9", "2.0", "2.4", "2.99", "3.0"].filter((version) => inRange(version, range))).toEqual([
    "2.0",
    "2.4",
    "2.99",
  ]);
  expect(() => sameMajor("two")).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});

describe("checkRange", () => {
  test.each([
    ["1.0", "2"],
    ["1", "1"],
    ["1.5", "1.5"],
    ["1.5", "1"],
  ])("%s to %s is a range", (min, max) => {
    expect(checkRange("x", { min, max })).toEqual({ min, max });
  });

  test.each([
    ["2.0", "1"],
    ["1.5", "1.4"],
    ["", "1"],
    ["1.0", "1.x"],
  ])("%s to %s is none", (min, max) => {
    expect(() => checkRange("x", { min, max })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
