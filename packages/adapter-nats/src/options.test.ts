import { expect, test } from "vitest";
import { settingsOf } from "./options.ts";

test("options and what stands for those that are absent", () => {
  expect(settingsOf({ domain: "hub" })).toMatchObject({
    leaseMs: 10_000,
    sendTimeoutMs: 10_000,
    apiPrefix: "$JS.hub.API",
  });
  expect(settingsOf({ eventRetentionMs: 120_000 }).eventRetentionMs).toBe(120_000);
});

test.each([
  [{ leaseMs: 999 }, /leaseMs is 999.*1000 to 15000/],
  [{ sendTimeoutMs: 0 }, /sendTimeoutMs is 0/],
  [{ eventRetentionMs: 60_000 }, /eventRetentionMs is 60000.*at least 120000/],
  [{ eventRetentionMs: Number.NaN }, /eventRetentionMs is NaN/],
  [{ domain: "a", apiPrefix: "b" }, /exclude each other/],
])("%o is refused", (options, says) => {
  expect(() => settingsOf(options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(() => settingsOf(options)).toThrow(says);
});
