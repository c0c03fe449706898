import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { IntermodalError } from "../errors.ts";
import { toJson, toJsonObject } from "./json.ts";

function refusal(value: unknown): string {
  try {
    toJson(value, "the result");
  } catch (error) {
    if (error instanceof IntermodalError && error.code === "NOT_SERIALIZABLE") return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("toJson", () => {
  test.each<{ readonly value: unknown }>([
    { value: null },
    { value: true },
    { value: 0 },
    { value: -1.5e300 },
    { value: "" },
    { value: "\ud800 \0 日本 🙂" },
    { value: [] },
    { value: {} },
    { value: [1, [2, [null]]] },
    { value: { a: { b: [{ c: "d" }] }, "": 1, constructor: 2, toString: 3 } },
  ])("copies %j as it is", ({ value }) => {
    const copied = toJson(value, "the result");
    expect(copied).toEqual(value);
    expect(copied).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test("what it returns shares nothing with what it got", () => {
    const value = { list: [{ a: 1 }] };
    const copied = toJson(value, "the result");
    (value.list[0] as { a: number }).a = 2;
    value.list.push({ a: 3 });
    expect(copied).toEqual({ list: [{ a: 1 }] });
  });

  test("leaves out undefined properties, and makes -0 a 0", () => {
    const copied = toJson({ a: undefined, b: -0 }, "the result");
    expect(Object.keys(copied as object)).toEqual(["b"]);
    expect(Object.is((copied as { b: number }).b, 0)).toBe(true);
  });

  test("takes objects without a prototype and of another realm", () => {
    expect(toJson(Object.assign(Object.create(null), { a: 1 }), "the result")).toEqual({ a: 1 });
    expect(toJson(runInNewContext("({ a: [1] })"), "the result")).toEqual({ a: [1] });
  });

  test("__proto__ is a key like any other", () => {
    const copied = toJson(JSON.parse('{"__proto__":{"admin":true}}'), "the result");
    expect(Object.getPrototypeOf(copied)).toBe(Object.prototype);
    expect(JSON.stringify(copied)).toBe('{"__proto__":{"admin":true}}');
  });

  class Point {
    x = 1;
  }

  test.each<[unknown, string]>([
    [undefined, "it is undefined"],
    [1n, "it is a bigint"],
    [() => 1, "it is a function"],
    [Symbol("s"), "it is a symbol"],
    [Number.NaN, "it is NaN"],
    [Number.NEGATIVE_INFINITY, "it is -Infinity"],
    [new Date(0), "it is an instance of Date"],
    [new Point(), "it is an instance of Point"],
    [new Map(), "it is an instance of Map"],
    [new (class {})(), "it is an instance of a class"],
    [{ a: { "b c": [0, new Set()] } }, "a.b c[1] is an instance of Set"],
    [[undefined], "[0] is undefined"],
    [new Array(1), "[0] is undefined"],
    [{ call() {} }, "call is a function"],
    [{ toJSON: () => 1 }, "toJSON is a function"],
    [{ error: new Error("x") }, "error is an instance of Error"],
    [{ bytes: new Uint8Array(1) }, "bytes is an instance of Uint8Array"],
    [{ text: new String("x") }, "text is an instance of String"],
    [{ promise: Promise.resolve() }, "promise is an instance of Promise"],
    [runInNewContext("({ at: new Date(0) })"), "at is an instance of Date"],
  ])("refuses %o", (value, where) => {
    expect(refusal(value)).toMatch(/^the result does not survive JSON: /);
    expect(refusal(value)).toContain(`: ${where}; `);
  });

  test("refuses what is circular or too deep, with a message of a bearable length", () => {
    const circular: { list: unknown[] } = { list: [] };
    circular.list.push(circular);
    expect(refusal(circular)).toContain("is circular or nested deeper than 1000 levels");
    expect(refusal(circular).length).toBeLessThan(400);
    const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as unknown;
    expect(toJson(nested(1_000), "the result")).toEqual(nested(1_000));
    expect(refusal(nested(1_001))).toContain("nested deeper");
  });
});

test("toJsonObject refuses what is no object", () => {
  expect(toJsonObject({ a: 1 }, "data")).toEqual({ a: 1 });
  for (const value of [undefined, null, 1, "a", [], () => 1]) {
    expect(() => toJsonObject(value, "data")).toThrow(expect.objectContaining({ code: "VALIDATION_FAILED" }));
  }
  expect(() => toJsonObject(new Date(), "data")).toThrow(expect.objectContaining({ code: "NOT_SERIALIZABLE" }));
});
