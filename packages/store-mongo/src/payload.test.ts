import type { JsonValue } from "@intermodal/core/ports";
import { BSON } from "mongodb";
import { describe, expect, it } from "vitest";
import { readPayload, storePayload } from "./payload.ts";

const nested = (depth: number) => Array.from({ length: depth }).reduce<JsonValue>((inner) => ({ d: inner }), 1);
const parsed = (json: string) => JSON.parse(json) as JsonValue;

/** As it comes back from a document. */
function roundTrip(payload: JsonValue): JsonValue | undefined {
  const { value, json } = storePayload(payload);
  const document = BSON.deserialize(BSON.serialize({ value, json }, { ignoreUndefined: true }));
  return readPayload(document.value, document.json);
}

describe("a payload", () => {
  it.each([
    ["a text", "x"],
    ["numbers", [0, 1, -1, 2 ** 31, 2 ** 53 - 1, -1.5e-300, 1.7976931348623157e308]],
    ["null and booleans", { a: null, b: true, c: [false] }],
    ["keys in their order", { b: 1, a: { "10": 1, "9": 2, z: 3 } }],
    ["empty things", { list: [], object: {}, text: "" }],
  ])("is kept as itself, to be queried: %s", (_, payload) => {
    expect(storePayload(payload)).toMatchObject({ value: payload, json: undefined });
    expect(roundTrip(payload)).toEqual(payload);
    expect(JSON.stringify(roundTrip(payload))).toBe(JSON.stringify(payload));
  });

  it.each([
    ["keys that are operators", { a: { $gt: 1 } }],
    ["a reference to another document", { $ref: "x", $id: 1 }],
    ["dots in keys", { "a.b": 1 }],
    ["NUL in keys", { "a\0b": 1 }],
    ["an empty key", { "": 1 }],
    ["__proto__", parsed('{"a":{"__proto__":{"b":1}}}')],
    ["what the driver takes for its own", { _bsontype: "ObjectId" }],
    ["half a surrogate pair", ["\ud800"]],
    ["half a surrogate pair in a key", { "\udfff": 1 }],
    ["what is nested deep", nested(900)],
    ["many values", Array.from({ length: 6_000 }, () => 0)],
    ["what is long", "x".repeat(200_000)],
  ])("is kept as JSON: %s", (_, payload) => {
    expect(storePayload(payload).value).toBeUndefined();
    expect(roundTrip(payload)).toEqual(payload);
    expect(JSON.stringify(roundTrip(payload))).toBe(JSON.stringify(payload));
  });

  it("is absent where there is none", () => {
    expect(storePayload(undefined)).toMatchObject({ value: undefined, json: undefined });
    expect(readPayload(undefined, undefined)).toBeUndefined();
  });

  const texts = ["x", "é", "語", "\u{1F991}"].flatMap((text) => [text.repeat(1_000), text.repeat(200_000)]);
  it.each<JsonValue>([parsed("[[[],[]],[]]"), { a: 1 }, ["\u{1F991}"], Array(4_999).fill(0), ...texts])(
    "takes no more room than it counts, and of a text about as much",
    (payload) => {
      const { value, json, bytes } = storePayload(payload);
      const size = BSON.calculateObjectSize({ value, json });
      expect(size).toBeLessThanOrEqual(bytes + 100);
      if (typeof payload === "string") expect(size).toBeGreaterThanOrEqual(bytes);
    },
  );
});
