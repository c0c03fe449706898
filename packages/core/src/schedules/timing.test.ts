import { describe, expect, test } from "vitest";
import type { ScheduleTiming } from "../ports/schedule-store.ts";
import { checkTiming, dueAfter, firstDue, latestDue } from "./timing.ts";

const ms = (iso: string) => Date.parse(iso);
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
const nightly: ScheduleTiming = { cron: "30 2 * * *", timezone: "Europe/Berlin" };

describe("cron", () => {
  test("is due after now, never at it", () => {
    expect(iso(firstDue(nightly, ms("2026-06-01T00:29:59.999Z")))).toBe("2026-06-01T00:30:00.000Z");
    expect(iso(firstDue(nightly, ms("2026-06-01T00:30:00.000Z")))).toBe("2026-06-02T00:30:00.000Z");
    expect(iso(firstDue(nightly, ms("2026-06-01T00:30:00.001Z")))).toBe("2026-06-02T00:30:00.000Z");
  });

  test("a time that the clocks leave out is due when they have jumped, one that comes twice the first time", () => {
    const spring = dueAfter(nightly, ms("2026-03-28T01:30:00.000Z"), ms("2026-03-28T01:30:00.000Z"));
    expect(iso(spring)).toBe("2026-03-29T01:00:00.000Z");
    const autumn = dueAfter(nightly, ms("2026-10-24T00:30:00.000Z"), ms("2026-10-25T00:30:00.500Z"));
    expect(iso(autumn)).toBe("2026-10-26T01:30:00.000Z");
  });

  test("a list of times leaves none out either; what goes by steps goes by the time that passes", () => {
    const times = (cron: string, from: string) => {
      const found: (string | undefined)[] = [];
      let at = ms(from);
      for (let n = 0; n < 3; n++) {
        at = dueAfter({ cron, timezone: "Europe/Berlin" }, at, at) as number;
        found.push(iso(at)?.slice(0, 16));
      }
      return found;
    };
    const springNight = "2026-03-29T00:00:00.000Z";
    expect(times("30 2,4 * * *", springNight)).toEqual(["2026-03-29T01:00", "2026-03-29T02:30", "2026-03-30T00:30"]);
    expect(times("*/30 * * * *", springNight)).toEqual(["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"]);
    const autumnNight = "2026-10-25T00:00:00.000Z";
    expect(times("30 2,4 * * *", autumnNight)).toEqual(["2026-10-25T00:30", "2026-10-25T03:30", "2026-10-26T01:30"]);
    expect(times("*/30 * * * *", autumnNight)).toEqual(["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"]);
  });

  test("the latest due time is the last one not after now", () => {
    const due = ms("2026-06-01T00:30:00.000Z");
    const latest = (now: string) => iso(latestDue(nightly, due, ms(now)));
    expect(latest("2026-06-01T00:30:00.000Z")).toBe("2026-06-01T00:30:00.000Z");
    expect(latest("2026-06-04T00:29:59.999Z")).toBe("2026-06-03T00:30:00.000Z");
    expect(latest("2026-06-04T00:30:00.000Z")).toBe("2026-06-04T00:30:00.000Z");
    expect(latest("2026-06-04T00:30:00.999Z")).toBe("2026-06-04T00:30:00.000Z");
  });

  test.each([
    "0 3 * * *",
    "30 2 * * *",
    "*/7 * * * *",
    "15 */2 * * MON-FRI",
    "0 0 29 2 *",
    "0 1,2,3 * * *",
    "*/13 * * * * *",
  ])("%s: no due time stands between the latest and the next, whatever the clocks do", (cron) => {
    for (const timezone of ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]) {
      const timing = { cron, timezone };
      for (let now = ms("2028-01-01T00:00:00.123Z"); now < ms("2029-01-01"); now += 86_400_000 * 1.937) {
        const latest = latestDue(timing, ms("2000-01-01"), now);
        expect(latest).toBeLessThanOrEqual(now);
        expect(firstDue(timing, latest - 1), iso(now)).toBe(latest);
        expect(firstDue(timing, latest), iso(now)).toBe(firstDue(timing, now));
        expect(firstDue(timing, now)).toBeGreaterThan(now);
      }
    }
  });
});

test("every so often: counted from where it began, however late anybody looks", () => {
  const timing = { everyMs: 60_000 };
  expect(firstDue(timing, 1_000)).toBe(61_000);
  expect(firstDue(timing, 999.5)).toBe(61_000);
  expect(dueAfter(timing, 61_000, 61_000)).toBe(121_000);
  expect(dueAfter(timing, 61_000, 120_999)).toBe(121_000);
  expect(dueAfter(timing, 61_000, 3_600_000)).toBe(3_601_000);
  expect(latestDue(timing, 61_000, 120_999)).toBe(61_000);
  expect(latestDue(timing, 61_000, 121_000)).toBe(121_000);
  expect(latestDue(timing, 61_000, 3_600_000)).toBe(3_541_000);
});

test("at: due once", () => {
  expect(firstDue({ at: 5 }, 10)).toBe(5);
  expect(latestDue({ at: 5 }, 5, 10)).toBe(5);
  expect(dueAfter({ at: 5 }, 5, 10)).toBeUndefined();
});

test.each([
  [{ cron: "* * *", timezone: "UTC" }, /cannot be read.*exactly five, six/],
  [{ cron: "61 * * * *", timezone: "UTC" }, /cannot be read.*minute: 61/],
  [{ cron: "0 0 31 2 *", timezone: "UTC" }, /is never due/],
  [{ cron: "* * * * *", timezone: "Mars/Olympus" }, /"Mars\/Olympus" cannot be read/],
  [{ cron: "2026-01-01T00:00:00", timezone: "UTC" }, /is not a cron expression/],
  [{ cron: 5 as unknown as string, timezone: "UTC" }, /cannot be read/],
  [{ everyMs: 999 }, /everyMs must be a whole number of milliseconds from 1000, not 999/],
  [{ everyMs: Number.NaN }, /not NaN/],
  [{ at: Number.NaN }, /at must be a Date or whole milliseconds/],
  [{ at: 1e17 }, /at must be/],
])("%o is refused", (timing, message) => {
  expect(() => checkTiming('schedule "s"', timing)).toThrow(message);
  expect(() => checkTiming('schedule "s"', timing)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});

test("nicknames and seconds are understood", () => {
  checkTiming("s", { cron: "@daily", timezone: "UTC" });
  checkTiming("s", { cron: "*/10 * * * * *", timezone: "UTC" });
});
