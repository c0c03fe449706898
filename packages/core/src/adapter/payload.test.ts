import { describe, expect, it } from "vitest";
import type { JsonValue } from "../ports/json.ts";
import { copyPayload, freezePayload, takePayload } from "./payload.ts";

const bytes = (value: JsonValue) => new TextEncoder().encode(JSON.stringify(value)).length;

describe("takePayload", () => {
  it.each<JsonValue>([
    "",
    '\u0000\u001f"\\\n',
    "é€😀",
    0,
    -1.5e-300,
    1e21,
    true,
    false,
    null,
    [],
    {},
    [[], [null, true]],
    { "": "", '"': [1, 2, { é: "\ud83d\ude00" }] },
    JSON.parse('{"__proto__":{"a":1}}') as JsonValue,
    { long: "x".repeat(500), list: Array.from({ length: 100 }, (_, index) => ({ index })) },
  ])("takes %j up to its length in bytes, and no longer one", (value) => {
    const length = bytes(value);
    expect(JSON.stringify(takePayload(value, length, "input"))).toBe(JSON.stringify(value));
    expect(() => takePayload(value, length - 1, "input")).toThrow(
      expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
    );
  });
});

describe("copyPayload", () => {
  it("shares nothing that can be changed", () => {
    const proto = "__proto__";
    const value = JSON.parse('{"a":[{"b":[1]}],"__proto__":{"c":{}}}') as JsonValue;
    const text = JSON.stringify(value);
    freezePayload(value);
    const copy = copyPayload(value) as { a: [{ b: number[] }]; [proto]: { c: { d?: number } } };
    copy.a[0].b.push(2);
    copy[proto].c.d = 1;
    expect(JSON.stringify(value)).toBe(text);
    expect(JSON.stringify(copy)).toBe('{"a":[{"b":[1,2]}],"__proto__":{"c":{"d":1}}}');
  });
});
