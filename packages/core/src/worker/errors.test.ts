import { expect, test } from "vitest";
import { toErrorInfo } from "./errors.ts";

test("a stored error holds no credentials, also where it is cut in the middle of them", () => {
  const error = new Error(`${"x".repeat(9_980)} amqp://ada:lovelace-lovelace@host`);
  error.stack = `${"x".repeat(3_980)} amqp://ada:lovelace-lovelace@host`;
  const stored = JSON.stringify(toErrorInfo(error));
  expect(stored).not.toContain("ada");
  expect(stored).not.toContain("love");
});
