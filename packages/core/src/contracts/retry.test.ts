import { describe, expect, test } from "vitest";
import { type Backoff, DEFAULT_RETRY, exponential, fixed, retryPolicy } from "./retry.ts";

const least = () => 0;
const most = () => 1 - Number.EPSILON;

function spread(backoff: Backoff, attempt: number): readonly number[] {
  return [backoff.delayMs(attempt, least), backoff.delayMs(attempt, most)];
}

describe("exponential", () => {
  test("doubles from a second up to five minutes; each delay is from half of that to all of it", () => {
    const backoff = exponential();
    expect(spread(backoff, 1)).toEqual([500, 1_000]);
    expect(spread(backoff, 2)).toEqual([1_000, 2_000]);
    expect(spread(backoff, 9)).toEqual([128_000, 256_000]);
    expect(spread(backoff, 10)).toEqual([150_000, 300_000]);
    expect(spread(backoff, 10_000)).toEqual([150_000, 300_000]);
  });

  test("takes its numbers from the options", () => {
    const backoff = exponential({ initialMs: 10, maxMs: 95, factor: 3 });
    expect([1, 2, 3, 4].map((attempt) => backoff.delayMs(attempt, most))).toEqual([10, 30, 90, 95]);
  });

  test("an attempt that makes no sense counts as the first", () => {
    expect(spread(exponential(), 0)).toEqual([500, 1_000]);
    expect(spread(exponential(), -5)).toEqual([500, 1_000]);
  });

  test.each([
    { initialMs: -1 },
    { initialMs: Number.NaN },
    { initialMs: 10, maxMs: 5 },
    { maxMs: Number.POSITIVE_INFINITY },
    { factor: 0.5 },
    { factor: Number.NaN },
  ])("refuses %j", (options) => {
    expect(() => exponential(options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("fixed", () => {
  test("is the same for every attempt", () => {
    expect(spread(fixed(1_000), 1)).toEqual([1_000, 1_000]);
    expect(spread(fixed(1_000), 7)).toEqual([1_000, 1_000]);
    expect(spread(fixed(0), 1)).toEqual([0, 0]);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (ms) => {
    expect(() => fixed(ms)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("retryPolicy", () => {
  test("fills in what is not said", () => {
    const backoff = fixed(5);
    const when = () => false;
    expect(retryPolicy()).toEqual(DEFAULT_RETRY);
    expect(retryPolicy({ maxAttempts: undefined, backoff })).toEqual({ maxAttempts: 5, backoff });
    expect(retryPolicy({ maxAttempts: 1, when })).toEqual({ maxAttempts: 1, backoff: DEFAULT_RETRY.backoff, when });
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d attempts", (maxAttempts) => {
    expect(() => retryPolicy({ maxAttempts })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("refuses what is no backoff", () => {
    expect(() => retryPolicy({ backoff: 1_000 as never })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
