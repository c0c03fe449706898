import { expect, test } from "vitest";
import { messageOf } from "../errors.ts";
import { toErrorInfo } from "./errors.ts";

test("a stored error is of texts, whatever its class has made of an error's fields", () => {
  class Odd extends Error {
    declare name: string;
    readonly code = 404;
  }
  const odd = new Odd("no");
  Object.assign(odd, { name: undefined, stack: ["here"] });
  expect(toErrorInfo(odd)).toEqual({ name: "Error", message: "no", code: undefined, stack: undefined });
  for (const message of [undefined, Symbol("x"), { text: "no" }, Object.create(null)]) {
    const error = Object.assign(new Error("no"), { message, name: "E".repeat(1_000), code: "E1" });
    expect(toErrorInfo(error)).toMatchObject({ name: "E".repeat(200), message: "", code: "E1" });
  }
});

test("whatever is thrown has a message", () => {
  for (const thrown of ["no", 7, undefined, null, Symbol("no"), Object.create(null), { toString: null }]) {
    expect(toErrorInfo(thrown).message).toBeTypeOf("string");
    expect(messageOf(Object.assign(new Error(), { message: thrown }))).toBeTypeOf("string");
  }
});

test("a stored error holds no credentials, also where it is cut in the middle of them", () => {
  const error = new Error(`${"x".repeat(9_980)} amqp://ada:lovelace-lovelace@host`);
  error.stack = `${"x".repeat(3_980)} amqp://ada:lovelace-lovelace@host`;
  const stored = JSON.stringify(toErrorInfo(error));
  expect(stored).not.toContain("ada");
  expect(stored).not.toContain("love");
});
