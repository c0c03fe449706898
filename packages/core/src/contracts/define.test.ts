import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent, defineTask, exponential, fixed } from "./index.ts";
import { DEFAULT_RETRY } from "./retry.ts";

const input = z.object({ id: z.string() });
const output = z.object({ done: z.boolean() });

describe("defineTask", () => {
  test("needs an input only", () => {
    expect(defineTask("book.import", { input })).toEqual({
      kind: "task",
      name: "book.import",
      version: "1.0",
      queue: "default",
      input,
      output: undefined,
      retry: DEFAULT_RETRY,
      timeoutMs: undefined,
      retentionMs: 7 * 24 * 60 * 60 * 1_000,
      rateLimit: undefined,
    });
  });

  test("keeps what it is told", () => {
    const backoff = exponential({ initialMs: 10 });
    const rateLimit = { permits: 5, perMs: 1_000, key: "model" };
    expect(
      defineTask("t", {
        input,
        output,
        version: "2.1",
        queue: "slow",
        retry: { maxAttempts: 3, backoff },
        timeoutMs: 50,
        retentionMs: 60_000,
        rateLimit,
      }),
    ).toMatchObject({
      output,
      version: "2.1",
      queue: "slow",
      retry: { maxAttempts: 3, backoff },
      timeoutMs: 50,
      retentionMs: 60_000,
      rateLimit,
    });
  });

  test.each([
    [{ input: {} }, "CONFIG_INVALID"],
    [{ input, output: "string" }, "CONFIG_INVALID"],
    [{ input, version: "1" }, "CONFIG_INVALID"],
    [{ input, queue: "a b" }, "INVALID_NAME"],
    [{ input, retry: { maxAttempts: 0 } }, "CONFIG_INVALID"],
    [{ input, timeoutMs: 0 }, "CONFIG_INVALID"],
    [{ input, timeoutMs: Number.NaN }, "CONFIG_INVALID"],
    [{ input, retentionMs: -1 }, "CONFIG_INVALID"],
    [{ input, rateLimit: { permits: 0, perMs: 1 } }, "CONFIG_INVALID"],
    [{ input, rateLimit: { permits: 1.5, perMs: 1 } }, "CONFIG_INVALID"],
    [{ input, rateLimit: { permits: 1, perMs: 0 } }, "CONFIG_INVALID"],
    [{ input, rateLimit: { permits: 1 } }, "CONFIG_INVALID"],
    [{ input, rateLimit: { perMs: 1 } }, "CONFIG_INVALID"],
  ])("refuses %o with %s", (options, code) => {
    expect(() => defineTask("t", options as never)).toThrow(expect.objectContaining({ code }));
  });
});

test("a command needs an input only", () => {
  expect(defineCommand("mail.send", { input })).toEqual({
    kind: "command",
    name: "mail.send",
    version: "1.0",
    queue: "default",
    input,
    retry: DEFAULT_RETRY,
    timeoutMs: undefined,
  });
  const retry = { maxAttempts: 2, backoff: fixed(10) };
  const options = { version: "1.1", queue: "mail", timeoutMs: 5 };
  expect(defineCommand("mail.send", { input, retry, ...options })).toMatchObject({ retry, ...options });
});

test("an event needs a name only", () => {
  expect(defineEvent("book.opened")).toEqual({ kind: "event", name: "book.opened", version: "1.0", data: undefined });
  expect(defineEvent("book.opened", { version: "2.0", data: input })).toMatchObject({ version: "2.0", data: input });
  expect(() => defineEvent("e", { version: "two" })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(() => defineEvent("e", { data: "string" as never })).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID" }),
  );
});

test.each(["", "two words", "a..b", "a/b", "é"])("%j is no name for any of them", (name) => {
  const invalid = expect.objectContaining({ code: "INVALID_NAME" });
  expect(() => defineTask(name, { input })).toThrow(invalid);
  expect(() => defineCommand(name, { input })).toThrow(invalid);
  expect(() => defineEvent(name)).toThrow(invalid);
});
