import { describe, expect, test } from "vitest";
import { IntermodalError } from "../errors.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { persist } from "./persist.ts";

const away = () => new IntermodalError("UNAVAILABLE", "away");

describe("persisting", () => {
  test("goes on until it works, with pauses that grow to some seconds", async () => {
    const clock = new VirtualClock();
    const pauses: number[] = [];
    let last = clock.now();
    const result = persist(
      async () => {
        pauses.push(clock.now() - last);
        last = clock.now();
        if (pauses.length < 12) throw away();
        return "worked";
      },
      { clock, signal: new AbortController().signal },
    );
    await clock.advance(60_000);
    expect(await result).toBe("worked");
    expect(pauses[1]).toBeLessThan(100);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2_500);
    expect(Math.min(...pauses.slice(8))).toBeGreaterThanOrEqual(1_500);
  });

  test("gives up at once what trying again cannot cure", async () => {
    const clock = new VirtualClock();
    const invalid = new IntermodalError("CONFIG_INVALID", "wrong password");
    const attempt = () => Promise.reject(invalid);
    await expect(persist(attempt, { clock, signal: new AbortController().signal })).rejects.toBe(invalid);
  });

  test("ends with the last failure when it is told to, also in the middle of a pause", async () => {
    const clock = new VirtualClock();
    const ending = new AbortController();
    const failures: number[] = [];
    const result = persist(() => Promise.reject(away()), {
      clock,
      signal: ending.signal,
      onFailure: (_, count) => failures.push(count),
    });
    const ended = expect(result).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await clock.settle();
    ending.abort();
    await ended;
    expect(failures).toEqual([1]);
  });
});
