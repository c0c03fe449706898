import { describe, expect, test } from "vitest";
import { cloudEventsCodec, type EventCodec, plainCodec } from "./codecs.ts";
import type { EventEnvelope } from "./messages.ts";

const time = Date.parse("2025-06-01T12:34:56.789Z");
const event: EventEnvelope = {
  id: "e1",
  type: "book.opened",
  version: "1.2",
  source: "library",
  time,
  data: { bookId: "b", pages: [1, 2] },
  traceparent: "t",
  correlationId: "co",
  causationId: "ca",
};

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

const codecs: [string, EventCodec][] = [
  ["cloudEventsCodec", cloudEventsCodec],
  ["plainCodec", plainCodec],
];

describe.each(codecs)("%s", (_name, codec) => {
  test("reads what either writes", () => {
    for (const [, writer] of codecs) expect(codec.decode(writer.encode(event))).toEqual(event);
  });

  test("reads a plain dictionary that says little", () => {
    expect(codec.decode(bytesOf({ event_type: "book.opened", bookId: "b" }))).toEqual({
      id: "",
      type: "book.opened",
      version: "1.0",
      source: "",
      time: 0,
      data: { bookId: "b" },
    });
    expect(codec.decode(bytesOf({}))).toMatchObject({ type: "", data: {} });
  });

  test.each<[unknown, number]>([
    ["2025-06-01T12:34:56.789Z", time],
    ["2025-06-01T12:34:56.789123", time],
    ["2025-06-01T14:34:56.789+02:00", time],
    [time, time],
    [time / 1_000, time],
    ["yesterday", 0],
    [null, 0],
    [undefined, 0],
  ])("reads the timestamp %j", (timestamp, expected) => {
    expect(codec.decode(bytesOf({ event_type: "t", timestamp })).time).toBe(expected);
  });

  test.each<[unknown, string]>([
    ["2.1", "2.1"],
    [2, "2.0"],
    [2.1, "2.1"],
    ["latest", "latest"],
    [null, "1.0"],
    [undefined, "1.0"],
  ])("reads the version %j", (event_version, expected) => {
    expect(codec.decode(bytesOf({ event_type: "t", event_version })).version).toBe(expected);
  });

  test("an id may be a number; metadata never is payload, and what only looks like it stays payload", () => {
    const payload = { source: { page: 1 }, traceparent: null, correlation_id: 5 };
    const decoded = codec.decode(
      bytesOf({ event_type: "t", event_id: 7, causation_id: "c", timestamp: time, ...payload }),
    );
    expect(decoded).toMatchObject({ id: "7", causationId: "c", source: "" });
    expect(decoded.data).toEqual(payload);
  });

  test("__proto__ in a plain dictionary is a field like any other", () => {
    const { data } = codec.decode(new TextEncoder().encode('{"event_type":"t","__proto__":{"admin":true}}'));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.keys(data)).toEqual(["__proto__"]);
  });

  test("what is no object cannot be read", () => {
    expect(() => codec.decode(bytesOf([]))).toThrow(expect.objectContaining({ code: "DECODE_FAILED" }));
  });
});

describe("plainCodec", () => {
  test("writes the payload flat beside the metadata", () => {
    expect(parsed(plainCodec.encode(event))).toEqual({
      event_type: "book.opened",
      event_version: "1.2",
      timestamp: "2025-06-01T12:34:56.789Z",
      event_id: "e1",
      source: "library",
      correlation_id: "co",
      causation_id: "ca",
      traceparent: "t",
      bookId: "b",
      pages: [1, 2],
    });
  });

  test.each(["event_id", "event_type", "timestamp", "source", "correlation_id"])(
    "refuses a payload with a field %s",
    (field) => {
      expect(() => plainCodec.encode({ ...event, data: { [field]: "x" } })).toThrow(
        expect.objectContaining({ code: "NOT_SERIALIZABLE", message: expect.stringContaining(`"${field}"`) as string }),
      );
    },
  );

  test("refuses what JSON cannot hold, naming the path", () => {
    expect(() => plainCodec.encode({ ...event, data: { size: 1n as never } })).toThrow(/size is a bigint/);
  });
});
