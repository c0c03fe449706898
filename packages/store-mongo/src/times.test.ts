import { expect, it } from "vitest";
import { readTime, storeTime } from "./times.ts";

it("a time is a date wherever a date can hold it, by which the server compares and removes", () => {
  for (const ms of [0, 1_800_000_000_123, -5, 8_640_000_000_000_000]) {
    expect(storeTime(ms)).toEqual(new Date(ms));
    expect(readTime(storeTime(ms))).toBe(ms);
  }
});

it("a part of a millisecond is rounded up: nothing is due before its time", () => {
  expect(storeTime(1_800_000_000_123.25)).toEqual(new Date(1_800_000_000_124));
  expect(storeTime(-0.5)).toEqual(new Date(0));
});

it("what no date can hold stays a number, and what is absent absent", () => {
  for (const ms of [9e15, Number.POSITIVE_INFINITY, 8_640_000_000_000_001]) {
    expect(storeTime(ms)).toBe(ms);
    expect(readTime(ms)).toBe(ms);
  }
  expect([storeTime(undefined), readTime(undefined)]).toEqual([undefined, undefined]);
});
